import {
    apiKeysFor,
    describeText,
    FOLDINGS,
    partsOfList,
    readSettings,
    SERVICE_SETTINGS,
    type ServiceSettings,
} from "@property-search/contract/settings";

import { credentialsFault } from "./redis/credentials.ts";
import { redisUrlFaults, type RedisMode } from "./redis/url.ts";
import { certificatesFault, keyFault, type TlsFiles } from "./redis/tls.ts";
import type { Folding } from "./key/normalise.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that the config has in another form, so that neither a secret nor a URL with a password remains. */
const GROUPED = /^(redis|upstream|tracing|tenants|admin|model)[A-Z]|Proxy$|^(anonymous|revision)$/;
type Grouped =
    | `${"redis" | "upstream" | "tracing" | "tenants" | "admin"}${string}`
    | `${string}Proxy`
    | ("modelDirectory" | "modelThreads" | "anonymous" | "revision")
    | ("provider" | "textFolding" | "corsOrigins");

/** The service's environment, checked. */
export interface Config extends Omit<ServiceSettings, Grouped> {
    readonly redis: RedisConfig | undefined;
    /** In the order of FOLDINGS. */
    readonly textFolding: readonly Folding[];
    /** Origins whose pages may read responses; `*`: all. */
    readonly corsOrigins: readonly string[];
    /** Undefined: requests are not traced. */
    readonly tracing: TracingConfig | undefined;
    readonly provider: ProviderConfig;
    readonly tenants: TenantsConfig;
    /** Undefined: no admin port. */
    readonly admin: AdminConfig | undefined;
}

export interface RedisConfig {
    /** Of the server, of some nodes of the cluster, or of the sentinels. */
    readonly urls: readonly [URL, ...URL[]];
    readonly mode: RedisMode;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    /** Folder of files with the login, which come before the two. */
    readonly credentials?: string | undefined;
    /** In mode `sentinel`. */
    readonly sentinel?: SentinelConfig | undefined;
    /** With rediss:// URLs. */
    readonly tls?: TlsFiles | undefined;
}

export interface SentinelConfig {
    /** Name of the primary with its replicas. */
    readonly master: string;
    /** Of the sentinels themselves. */
    readonly password?: string | undefined;
}

export interface TracingConfig {
    readonly url: URL;
    /** Share of requests without a sampling decision of the client, in [0, 1]. */
    readonly share: number;
}

export interface TenantsConfig {
    readonly file: string | undefined;
    readonly anonymous: boolean;
}

export interface AdminConfig {
    readonly port: number;
    readonly token: string;
}

export type ProviderConfig =
    | { readonly name: "local"; readonly directory: string; readonly threads: number }
    | {
          readonly name: "openai";
          readonly url: URL;
          readonly fallbacks: readonly Fallback[];
          readonly apiKey: string | undefined;
          readonly revision: string | undefined;
          /** Most inputs a call. */
          readonly batchSize: number;
          readonly proxy: ProxyConfig;
      };

/** Another place of the same model, with a key of its own where it wants one. */
export interface Fallback {
    readonly url: URL;
    readonly apiKey: string | undefined;
}

/** Forward proxies that lead to the upstream. */
export interface ProxyConfig {
    readonly httpUrl: URL | undefined;
    readonly httpsUrl: URL | undefined;
    /** Hosts that are reached without one, with commas between them. */
    readonly exceptHosts: string | undefined;
}

/** Everything that is wrong with the environment, one line a problem. */
export class ConfigError extends Error {
    readonly problems: readonly string[];

    constructor(problems: readonly string[]) {
        super(`The environment is wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
        this.name = "ConfigError";
        this.problems = problems;
    }
}

/**
 * Reads the environment by the rows of SERVICE_SETTINGS.
 *
 * @throws ConfigError with every problem at once, each naming the variable, its value and what is
 * allowed; the values of passwords and keys are never shown.
 */
export function readConfig(environment: Environment): Config {
    const read = new Reader(environment);
    const { values } = read;
    const folded = partsOfList(values.textFolding);
    const plain = Object.entries(values).filter(([name]) => !GROUPED.test(name));
    const config = {
        ...(Object.fromEntries(plain) as Omit<ServiceSettings, Grouped>),
        redis: readRedis(read),
        textFolding: FOLDINGS.filter((one) => folded.includes(one)),
        corsOrigins: partsOfList(values.corsOrigins),
        tracing:
            values.tracingUrl === ""
                ? undefined
                : { url: baseUrl(values.tracingUrl), share: Number(values.tracingSampleRatio) },
        provider: readProvider(read),
        tenants: readTenants(read),
        admin:
            values.adminToken === ""
                ? undefined
                : { port: values.adminPort, token: values.adminToken },
    };
    read.finish();
    return config;
}

function readRedis(read: Reader): RedisConfig | undefined {
    const { redisUrl, redisMode: mode, redisUsername, redisPassword } = read.values;
    const urls = partsOfList(redisUrl).flatMap((text) => URL.parse(text) ?? []);
    const isSound = ({ protocol, hostname }: URL) => /^rediss?:$/.test(protocol) && hostname !== "";
    if (urls.length < partsOfList(redisUrl).length || !urls.every(isSound)) {
        read.problem(
            "redisUrl",
            "a URL such as redis://host:6379, or several with commas between them",
        );
        return undefined;
    }
    const [first, ...others] = urls;
    if (first === undefined) return undefined;
    if (others.some(({ protocol }) => protocol !== first.protocol)) {
        read.problem("redisUrl", "URLs that all begin with redis://, or all with rediss://");
    }
    if (others.length > 0 && mode === "standalone") {
        read.problem("redisUrl", "one URL, since REDIS_MODE is standalone");
    }
    const hasFiles = read.values.redisCredentialsDirectory !== "";
    const beside = {
        username: hasFiles || redisUsername !== "",
        password: hasFiles || redisPassword !== "",
    };
    for (const allowed of redisUrlFaults(urls, mode, beside)) read.problem("redisUrl", allowed);
    return {
        urls: [first, ...others],
        mode,
        username: orUndefined(redisUsername),
        password: orUndefined(redisPassword),
        credentials: readCredentials(read),
        sentinel: readSentinel(read, mode),
        tls: readTls(read, first.protocol === "rediss:"),
    };
}

function readCredentials(read: Reader): string | undefined {
    const folder = orUndefined(read.values.redisCredentialsDirectory);
    if (folder === undefined) return undefined;
    read.check(
        "redisCredentialsDirectory",
        "a folder with the file password",
        credentialsFault(folder),
    );
    for (const name of ["redisUsername", "redisPassword", "redisSentinelPassword"] as const) {
        if (read.values[name] === "") continue;
        read.problem(name, "nothing, since REDIS_CREDENTIALS_DIR is set");
    }
    return folder;
}

function readSentinel(read: Reader, mode: RedisMode): SentinelConfig | undefined {
    const { redisSentinelMaster: master, redisSentinelPassword } = read.values;
    if (mode !== "sentinel") {
        if (master !== "") {
            read.problem("redisSentinelMaster", `nothing, since REDIS_MODE is ${mode}`);
        }
        return undefined;
    }
    if (master === "") {
        const allowed = "the sentinels' name of the primary, since REDIS_MODE is sentinel";
        read.problem("redisSentinelMaster", allowed);
    }
    return { master, password: orUndefined(redisSentinelPassword) };
}

const TLS_FILES = ["redisCaFile", "redisCertFile", "redisKeyFile"] as const;

function readTls(read: Reader, encrypted: boolean): TlsFiles | undefined {
    const [ca, cert, key] = TLS_FILES.map((name) => orUndefined(read.values[name]));
    if (!encrypted) {
        for (const name of TLS_FILES) {
            if (read.values[name] === "") continue;
            read.problem(name, "nothing, since REDIS_URL does not begin with rediss://");
        }
        return undefined;
    }
    const certificates = "a file of certificates in PEM";
    read.check("redisCaFile", certificates, ca && certificatesFault(ca));
    read.check("redisCertFile", certificates, cert && certificatesFault(cert));
    const keys = "a file with the certificate's key in PEM";
    read.check("redisKeyFile", keys, key && keyFault(key, cert));
    if ((cert === undefined) !== (key === undefined)) {
        const [missing, given] = cert ? (["Key", "CERT"] as const) : (["Cert", "KEY"] as const);
        read.problem(`redis${missing}File`, `a file, since REDIS_${given}_FILE is set`);
    }
    return { ca, cert, key };
}

function readTenants(read: Reader): TenantsConfig {
    const { tenantsFile, anonymous } = read.values;
    if (tenantsFile === "" && !anonymous) {
        read.problem("tenantsFile", "a file of tenants, or ANONYMOUS=true: nobody could ask");
    }
    return { file: orUndefined(tenantsFile), anonymous };
}

function readProvider(read: Reader): ProviderConfig {
    const { values } = read;
    if (values.provider === "local") {
        if (values.modelDirectory === "") {
            read.problem(
                "modelDirectory",
                "the folder with model.onnx and tokenizer.json; `make model` fetches them and prints it",
            );
        }
        return { name: "local", directory: values.modelDirectory, threads: values.modelThreads };
    }
    if (!read.isSet("upstreamUrl")) {
        read.problem(
            "upstreamUrl",
            `${SERVICE_SETTINGS.upstreamUrl.words}, since the provider is openai`,
        );
    }
    const url = baseUrl(values.upstreamUrl || "http://missing.invalid");
    return {
        name: "openai",
        url,
        fallbacks: readFallbacks(read, url),
        apiKey: orUndefined(values.upstreamApiKey),
        revision: orUndefined(values.revision),
        batchSize: values.upstreamBatchSize,
        proxy: {
            httpUrl: values.httpProxy === "" ? undefined : new URL(values.httpProxy),
            httpsUrl: values.httpsProxy === "" ? undefined : new URL(values.httpsProxy),
            exceptHosts: orUndefined(values.noProxy),
        },
    };
}

/** The primary's key is for the primary's origin: another host gets its own, or none. */
function readFallbacks(read: Reader, primary: URL): readonly Fallback[] {
    const { upstreamFallbackUrls, upstreamFallbackApiKeys, upstreamApiKey } = read.values;
    const urls = partsOfList(upstreamFallbackUrls).map(baseUrl);
    const { fits, words } = apiKeysFor(SERVICE_SETTINGS.upstreamFallbackUrls.env, urls.length);
    if (upstreamFallbackApiKeys !== "" && !fits(upstreamFallbackApiKeys)) {
        read.problem("upstreamFallbackApiKeys", words);
    }
    const keys = partsOfList(upstreamFallbackApiKeys);
    return urls.map((url, at) => {
        const own = url.origin === primary.origin ? upstreamApiKey : "";
        return { url, apiKey: orUndefined(keys[at]) ?? orUndefined(own) };
    });
}

/** Other paths are joined to it, and its own path has one spelling. */
function baseUrl(text: string): URL {
    const url = new URL(text);
    url.pathname = url.pathname.replace(/\/+$/, "");
    return url;
}

function orUndefined(text: string | undefined): string | undefined {
    return text === "" ? undefined : text;
}

type Name = keyof ServiceSettings;

class Reader {
    readonly values: ServiceSettings;
    readonly #environment: Environment;
    readonly #problems: string[] = [];

    constructor(environment: Environment) {
        this.#environment = environment;
        this.values = readSettings(
            SERVICE_SETTINGS,
            ({ env }) => this.#text(env),
            ({ env }, words) => this.#problems.push(`${env} ${words}`),
        );
    }

    #text(env: string): string {
        // Of these alone both spellings are in use.
        const other = env.endsWith("_PROXY") ? this.#environment[env.toLowerCase()] : undefined;
        return (this.#environment[env] ?? other ?? "").trim();
    }

    isSet(name: Name): boolean {
        return this.#text(SERVICE_SETTINGS[name].env) !== "";
    }

    /** Records a fault in what a value names, if there is one. */
    check(name: Name, allowed: string, fault: string | undefined): void {
        if (fault !== undefined && fault !== "") this.problem(name, `${allowed} (${fault})`);
    }

    problem(name: Name, allowed: string): void {
        const setting = SERVICE_SETTINGS[name];
        const found = describeText(setting, this.#text(setting.env));
        this.#problems.push(`${setting.env} ${found}; allowed: ${allowed}`);
    }

    finish(): void {
        if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    }
}
