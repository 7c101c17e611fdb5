import { LocalError } from "../shell.ts";

/**
 * Whether `make up REFRESH=images` was asked for.
 *
 * @throws LocalError when anything else was.
 */
export function asksForRefresh(value: string | undefined): boolean {
    if (value === undefined || value === "") return false;
    if (value === "images") return true;
    throw new LocalError(
        `REFRESH is "${value}"; allowed: images (Debian's packages anew), or none`,
    );
}
