import { emptyToUndefined, type SettingsReader } from "../settingsReader.ts";

export interface TenantsConfig {
    readonly file: string | undefined;
    /** Whether requests without an API key are served. */
    readonly anonymous: boolean;
}

export function readTenantsConfig(read: SettingsReader): TenantsConfig {
    const { tenantsFile, anonymous } = read.values;
    if (tenantsFile === "" && !anonymous) {
        read.addError(
            "tenantsFile",
            "a tenants file, or ANONYMOUS=true: otherwise all requests are rejected",
        );
    }
    return { file: emptyToUndefined(tenantsFile), anonymous };
}
