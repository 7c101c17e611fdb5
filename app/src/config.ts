import { EXPERIMENTS, parseExperiments, type Experiment } from "@property-search/contract";
import { FOLDINGS, partsOfList, type ServiceSettings } from "@property-search/contract/settings";

import { checkDistinctTokens } from "./distinctTokens.ts";
import type { Folding } from "./key/normalise.ts";
import { readRedisConfig, type RedisConfig } from "./redis/config.ts";
import { readReuseConfig, type ReuseConfig } from "./reuse/config.ts";
import { parseBaseUrl, SettingsReader, type Environment } from "./settingsReader.ts";
import { readTenantsConfig, type TenantsConfig } from "./tenants/config.ts";
import { readProviderConfig, type ProviderConfig } from "./upstream/config.ts";

/** Settings that the config has in another form, so that neither a secret nor a URL with a password remains. */
const GROUPED =
    /^(redis|upstream|tracing|tenants|admin|automation|model|semantic)[A-Z]|Proxy$|^(anonymous|revision)$/;
type Grouped =
    | `${"redis" | "upstream" | "tracing" | "tenants" | "admin" | "automation" | "semantic"}${string}`
    | `${string}Proxy`
    | ("modelDirectory" | "modelThreads" | "anonymous" | "revision")
    | ("provider" | "textFolding" | "corsOrigins" | "experiments");

/** The service's validated environment. */
export interface Config extends Omit<ServiceSettings, Grouped> {
    /** Undefined without Redis. */
    readonly redis: RedisConfig | undefined;
    /** In the order of FOLDINGS. */
    readonly textFolding: readonly Folding[];
    readonly experiments: readonly Experiment[];
    /** Origins whose pages may read responses; `*`: all. */
    readonly corsOrigins: readonly string[];
    /** Undefined: requests are not traced. */
    readonly tracing: TracingConfig | undefined;
    readonly provider: ProviderConfig;
    /** Undefined: semantic reuse is off. */
    readonly reuse: ReuseConfig | undefined;
    readonly tenants: TenantsConfig;
    /** Undefined: no admin port. */
    readonly admin: AdminConfig | undefined;
    /** Undefined: no automation port. */
    readonly automation: AdminConfig | undefined;
}

export interface TracingConfig {
    readonly url: URL;
    /** Share of requests without a sampling decision of the client, in [0, 1]. */
    readonly share: number;
}

export interface AdminConfig {
    readonly port: number;
    readonly token: string;
}

/**
 * Reads the environment by the rows of SERVICE_SETTINGS.
 *
 * @throws ConfigError with all errors at once, each with the variable, its value and what is allowed; values of
 * passwords and keys are never shown
 */
export function readConfig(environment: Environment): Config {
    const read = new SettingsReader(environment);
    const { values } = read;
    const foldings = partsOfList(values.textFolding);
    const plain = Object.entries(values).filter(([name]) => !GROUPED.test(name));
    const config = {
        ...(Object.fromEntries(plain) as Omit<ServiceSettings, Grouped>),
        redis: readRedisConfig(read),
        textFolding: FOLDINGS.filter((one) => foldings.includes(one)),
        // An invalid list is reported with the other errors.
        experiments: EXPERIMENTS.fits(values.experiments)
            ? parseExperiments(values.experiments)
            : [],
        corsOrigins: partsOfList(values.corsOrigins),
        tracing:
            values.tracingUrl === ""
                ? undefined
                : {
                      url: parseBaseUrl(values.tracingUrl),
                      share: Number(values.tracingSampleRatio),
                  },
        provider: readProviderConfig(read),
        reuse: readReuseConfig(read),
        tenants: readTenantsConfig(read),
        admin:
            values.adminToken === ""
                ? undefined
                : { port: values.adminPort, token: values.adminToken },
        automation:
            values.automationToken === ""
                ? undefined
                : { port: values.automationPort, token: values.automationToken },
    };
    checkDistinctTokens(read);
    read.throwErrors();
    return config;
}
