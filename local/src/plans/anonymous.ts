import { LocalError } from "../shell.ts";

/**
 * @returns config for `make up ANONYMOUS=false`: requests without an API key are rejected, as in prod
 *
 * @throws LocalError for any other value but true
 */
export function anonymousOverride(value: string | undefined): Record<string, string> {
    if (value === undefined || value === "") return {};
    if (value === "true" || value === "false") return { "tenants.anonymous": value };
    throw new LocalError(
        `ANONYMOUS is "${value}"; allowed: true, false, or unset for the value of Pulumi.local.yaml`,
    );
}
