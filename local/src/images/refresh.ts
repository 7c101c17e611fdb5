import { LocalError } from "../shell.ts";

/**
 * @returns whether `make up REFRESH=images` was requested
 *
 * @throws LocalError when anything else was.
 */
export function isRefreshRequested(value: string | undefined): boolean {
    if (value === undefined || value === "") return false;
    if (value === "images") return true;
    throw new LocalError(
        `REFRESH is "${value}"; allowed: images (resolve Debian's packages again), or unset`,
    );
}
