import { LocalError } from "../shell.ts";

/**
 * Config of `make up ANONYMOUS=false`: requests without an API key are refused, as in prod.
 *
 * @throws LocalError for any other value but true
 */
export function anonymousOverride(value: string | undefined): Record<string, string> {
    if (value === undefined || value === "") return {};
    if (value === "true" || value === "false") return { "tenants.anonymous": value };
    throw new LocalError(
        `ANONYMOUS is "${value}"; allowed: true, false, or none for what Pulumi.local.yaml says`,
    );
}
