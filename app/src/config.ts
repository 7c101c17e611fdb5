import {
    isCorsOriginList,
    COLOURS,
    CORS_ORIGINS_ALLOWED,
    ENVIRONMENT,
    isColour,
    PORTS,
    type Colour,
} from "@property-search/contract";

import { credentialsFault } from "./cache/redisLogin.ts";
import { REDIS_MODES, redisUrlFaults, type RedisMode } from "./cache/redisUrl.ts";
import { certificatesFault, keyFault, type TlsFiles } from "./cache/redisTls.ts";
import { FOLDINGS, type Folding } from "./key/normalise.ts";
import type { DatedPrice } from "./ledger/prices.ts";
import { PRECISIONS, type Precision } from "./vector/precision.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the service was told by its environment, checked. */
export interface Config {
    readonly port: number;
    /** `none` outside of a blue/green deployment. */
    readonly colour: Colour | "none";
    readonly version: string;
    readonly redis: RedisConfig | undefined;
    readonly cacheTtlSeconds: number;
    readonly cacheStaleSeconds: number;
    readonly cachePrecision: Precision;
    /** In the order of FOLDINGS. */
    readonly textFolding: readonly Folding[];
    /** Whose pages may read the answers; `*`: all. */
    readonly corsOrigins: readonly string[];
    readonly maxLocalEntries: number;
    readonly money: MoneyConfig;
    /** Undefined: requests are not traced. */
    readonly tracing: TracingConfig | undefined;
    readonly model: string;
    readonly provider: ProviderConfig;
    readonly drainTimeoutSeconds: number;
    readonly tenants: TenantsConfig;
    /** Undefined: no admin port. */
    readonly admin: AdminConfig | undefined;
    readonly logLevel: (typeof LOG_LEVELS)[number];
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

export interface MoneyConfig {
    /** Dollars a call of the upstream; stands where there are no token prices. */
    readonly perRequest: number;
    /** In the order of their dates; empty: the flat price. */
    readonly tokenPrices: readonly DatedPrice[];
    /** Dollars an hour: one pod, and what all pods share. */
    readonly podPerHour: number;
    readonly storagePerHour: number;
}

export interface TracingConfig {
    readonly url: URL;
    /** Of requests that come without a decision of their client, in [0, 1]. */
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

const TLS_FIELDS = ["redisCaFile", "redisCertFile", "redisKeyFile"] as const;
const PROVIDERS = ["local", "openai"] as const;
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "silent"] as const;

/** A token can be tried at any speed: it must not be one that can be guessed. */
const SHORTEST_TOKEN = 32;

/** Everything that is wrong with the environment, one line a finding. */
export class ConfigError extends Error {
    readonly findings: readonly string[];

    constructor(findings: readonly string[]) {
        super(`The environment is wrong:\n${findings.map((finding) => `  ${finding}`).join("\n")}`);
        this.name = "ConfigError";
        this.findings = findings;
    }
}

/**
 * Reads the environment by the contract's names.
 *
 * @throws ConfigError with every finding at once, each naming the variable, its value and what is
 * allowed; the values of passwords and keys are never shown.
 */
export function readConfig(environment: Environment): Config {
    const read = new Reader(environment);
    const config = {
        port: read.integer("port", PORTS.service, 1, 65_535),
        colour: readColour(read),
        version: read.text("version") ?? "dev",
        redis: readRedis(read),
        cacheTtlSeconds: read.integer("cacheTtl", 604_800, 1, 31_536_000),
        cacheStaleSeconds: read.integer("cacheStale", 86_400, 0, 31_536_000),
        cachePrecision: read.oneOf("cachePrecision", PRECISIONS, "float32"),
        textFolding: read.someOf("textFolding", FOLDINGS),
        corsOrigins: readCorsOrigins(read),
        maxLocalEntries: read.integer("maxLocalCacheSize", 2_000, 1, 1_000_000),
        money: {
            perRequest: read.dollars("costPerRequest", 0.001),
            tokenPrices: readPrices(read),
            podPerHour: read.dollars("podCostPerHour", 0),
            storagePerHour: read.dollars("storageCostPerHour", 0),
        },
        tracing: readTracing(read),
        model: read.text("model") ?? "all-MiniLM-L6-v2",
        provider: readProvider(read),
        drainTimeoutSeconds: read.integer("drainTimeout", 30, 1, 600),
        tenants: readTenants(read),
        admin: readAdmin(read),
        logLevel: read.oneOf("logLevel", LOG_LEVELS, "info"),
    };
    read.finish();
    return config;
}

function readColour(read: Reader): Colour | "none" {
    const colour = read.text("colour") ?? "none";
    if (isColour(colour) || colour === "none") return colour;
    read.found("colour", `one of ${COLOURS.join(", ")}, or nothing`);
    return "none";
}

function readRedis(read: Reader): RedisConfig | undefined {
    const schemes = ["redis:", "rediss:"];
    const example = "a URL such as redis://host:6379, or several with commas between them";
    const urls = read.urls("redisUrl", schemes, example);
    const mode = read.oneOf("redisMode", REDIS_MODES, "standalone");
    const [first, ...others] = urls;
    if (first === undefined) return undefined;
    if (others.some(({ protocol }) => protocol !== first.protocol)) {
        read.found("redisUrl", "URLs that all begin with redis://, or all with rediss://");
    }
    if (others.length > 0 && mode === "standalone") {
        read.found("redisUrl", "one URL, since REDIS_MODE is standalone");
    }
    const isGiven = (field: Field): boolean =>
        read.text(field) !== undefined || read.text("redisCredentialsDirectory") !== undefined;
    const beside = { username: isGiven("redisUsername"), password: isGiven("redisPassword") };
    for (const allowed of redisUrlFaults(urls, mode, beside)) {
        read.found("redisUrl", allowed);
    }
    return {
        urls: [first, ...others],
        mode,
        username: read.text("redisUsername"),
        password: read.text("redisPassword"),
        credentials: readCredentials(read),
        sentinel: readSentinel(read, mode),
        tls: readTls(read, first.protocol === "rediss:"),
    };
}

function readCredentials(read: Reader): string | undefined {
    const folder = read.text("redisCredentialsDirectory");
    const allowed = "a folder with the file password";
    read.sound("redisCredentialsDirectory", allowed, folder && credentialsFault(folder));
    for (const field of ["redisUsername", "redisPassword", "redisSentinelPassword"] as const) {
        if (folder === undefined || read.text(field) === undefined) continue;
        read.found(field, "nothing, since REDIS_CREDENTIALS_DIR is set");
    }
    return folder;
}

function readSentinel(read: Reader, mode: RedisMode): SentinelConfig | undefined {
    const master = read.text("redisSentinelMaster");
    if (mode !== "sentinel") {
        if (master !== undefined) {
            read.found("redisSentinelMaster", `nothing, since REDIS_MODE is ${mode}`);
        }
        return undefined;
    }
    if (master === undefined) {
        const allowed = "the sentinels' name of the primary, since REDIS_MODE is sentinel";
        read.found("redisSentinelMaster", allowed);
    }
    return { master: master ?? "", password: read.text("redisSentinelPassword") };
}

function readTls(read: Reader, encrypted: boolean): TlsFiles | undefined {
    const [ca, cert, key] = TLS_FIELDS.map((field) => read.text(field));
    if (!encrypted) {
        for (const field of TLS_FIELDS) {
            if (read.text(field) === undefined) continue;
            read.found(field, "nothing, since REDIS_URL does not begin with rediss://");
        }
        return undefined;
    }
    const certificates = "a file of certificates in PEM";
    read.sound("redisCaFile", certificates, ca && certificatesFault(ca));
    read.sound("redisCertFile", certificates, cert && certificatesFault(cert));
    read.sound(
        "redisKeyFile",
        "a file with the certificate's key in PEM",
        key && keyFault(key, cert),
    );
    if ((cert === undefined) !== (key === undefined)) {
        const [missing, given] = cert ? (["Key", "CERT"] as const) : (["Cert", "KEY"] as const);
        read.found(`redis${missing}File`, `a file, since REDIS_${given}_FILE is set`);
    }
    return { ca, cert, key };
}

function readCorsOrigins(read: Reader): readonly string[] {
    const text = (read.text("corsOrigins") ?? "").replaceAll(/\s/g, "");
    if (text === "") return [];
    if (!isCorsOriginList(text)) read.found("corsOrigins", CORS_ORIGINS_ALLOWED);
    return text.split(",");
}

function readTenants(read: Reader): TenantsConfig {
    const file = read.text("tenantsFile");
    const anonymous = read.oneOf("anonymous", ["true", "false"], "false") === "true";
    if (file === undefined && !anonymous) {
        read.found("tenantsFile", "a file of tenants, or ANONYMOUS=true: nobody could ask");
    }
    return { file, anonymous };
}

function readAdmin(read: Reader): AdminConfig | undefined {
    const port = read.integer("adminPort", PORTS.admin, 1, 65_535);
    const token = read.text("adminToken");
    if (token === undefined) return undefined;
    if (token.length < SHORTEST_TOKEN || !/^[\x21-\x7e]+$/.test(token)) {
        read.found("adminToken", `at least ${SHORTEST_TOKEN} printable characters without blanks`);
    }
    return { port, token };
}

const DATED_PRICE = /^(\d{4}-\d{2}-\d{2})=(\d+(?:\.\d+)?)$/;

function readPrices(read: Reader): readonly DatedPrice[] {
    const dated = (read.text("tokenPrices") ?? "").split(",").filter((one) => one.trim() !== "");
    const prices = dated.map((one) => {
        const [, date = "", dollars = ""] = DATED_PRICE.exec(one.trim()) ?? [];
        return { from: Date.parse(date), dollarsPerMillionTokens: Number(dollars) };
    });
    const ascend = prices.every(({ from }, at) => at === 0 || from > (prices[at - 1]?.from ?? NaN));
    if (ascend && prices.every(({ from }) => !Number.isNaN(from))) return prices;
    read.found(
        "tokenPrices",
        "dates and dollars per million tokens, oldest first, such as 2024-01-25=0.02,2027-01-01=0.015",
    );
    return [];
}

function readTracing(read: Reader): TracingConfig | undefined {
    const share = Number(read.text("traceShare") ?? "1");
    if (!(share >= 0 && share <= 1)) read.found("traceShare", "a number from 0 to 1");
    const url = read.baseUrl("otlpEndpoint", "a URL such as http://host:4318");
    return url && { url, share };
}

/** Azure's version of the API stands in the query of its paths of deployments. */
const UPSTREAM_QUERY = ["api-version"];

function readProvider(read: Reader): ProviderConfig {
    const name = read.oneOf("provider", PROVIDERS, "local");
    if (name === "local") {
        const directory = read.text("modelDirectory") ?? "";
        if (directory === "") {
            read.found(
                "modelDirectory",
                "the folder with model.onnx and tokenizer.json; `make model` fetches them and prints it",
            );
        }
        return { name, directory, threads: read.integer("modelThreads", 1, 1, 64) };
    }
    const allowed = "a base URL such as https://host/v1, since the provider is openai";
    const url = read.baseUrl("upstreamUrl", allowed, UPSTREAM_QUERY);
    if (url === undefined) read.found("upstreamUrl", allowed);
    return {
        name,
        url: url ?? new URL("http://missing.invalid"),
        fallbacks: readFallbacks(read, url),
        apiKey: read.text("upstreamApiKey"),
        revision: read.text("revision"),
        batchSize: read.integer("upstreamBatchSize", 256, 1, 2_048),
        proxy: readProxy(read),
    };
}

/** The primary's key is for the primary's origin: another host gets its own, or none. */
function readFallbacks(read: Reader, primary: URL | undefined): readonly Fallback[] {
    const allowed = "base URLs with commas between them";
    const urls = read.baseUrls("upstreamFallbackUrls", allowed, UPSTREAM_QUERY);
    const keys = read.text("upstreamFallbackApiKeys")?.split(",");
    if (keys && keys.length !== urls.length) {
        read.found(
            "upstreamFallbackApiKeys",
            `as many as UPSTREAM_FALLBACK_URLS has (${urls.length}), with commas between them; nothing for one that wants none`,
        );
    }
    const own = read.text("upstreamApiKey");
    return urls.map((url, at) => {
        const key = keys?.[at]?.trim() ?? "";
        const isPrimary = url.origin === primary?.origin;
        return { url, apiKey: key !== "" ? key : isPrimary ? own : undefined };
    });
}

function readProxy(read: Reader): ProxyConfig {
    const allowed = "the URL of a proxy such as http://proxy:3128";
    return {
        httpUrl: proxy("httpProxy"),
        httpsUrl: proxy("httpsProxy"),
        exceptHosts: read.text("noProxy"),
    };

    function proxy(field: "httpProxy" | "httpsProxy"): URL | undefined {
        const [url, ...others] = read.urls(field, ["http:", "https:"], allowed);
        const isOrigin = url?.pathname === "/" && !/[?#]/.test(url.href);
        if (url && (!isOrigin || others.length > 0))
            read.found(field, `${allowed}, without a path`);
        return url;
    }
}

type Field = keyof typeof ENVIRONMENT;

class Reader {
    readonly #environment: Environment;
    readonly #findings: string[] = [];

    constructor(environment: Environment) {
        this.#environment = environment;
    }

    /** An empty variable is an absent one: manifests cannot always leave a variable out. */
    text(field: Field): string | undefined {
        const name = ENVIRONMENT[field];
        // Of these alone both spellings are in use.
        const other = field.endsWith("Proxy") ? this.#environment[name.toLowerCase()] : undefined;
        const value = (this.#environment[name] ?? other)?.trim();
        return value === "" ? undefined : value;
    }

    integer(field: Field, fallback: number, least: number, most: number): number {
        const text = this.text(field);
        if (text === undefined) return fallback;
        const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
        if (value >= least && value <= most) return value;
        this.found(field, `a whole number from ${least} to ${most}`);
        return fallback;
    }

    dollars(field: Field, fallback: number): number {
        const text = this.text(field);
        if (text === undefined) return fallback;
        if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
        this.found(field, "dollars such as 0.001");
        return fallback;
    }

    oneOf<T extends string>(field: Field, allowed: readonly T[], fallback: T): T {
        const text = this.text(field);
        const value = allowed.find((candidate) => candidate === (text ?? fallback));
        if (value !== undefined) return value;
        this.found(field, `one of ${allowed.join(", ")}`);
        return fallback;
    }

    /** @returns those that are named, with commas between, in the order of `allowed` */
    someOf<T extends string>(field: Field, allowed: readonly T[]): readonly T[] {
        const texts = this.text(field)?.split(",") ?? [];
        const named = new Set(texts.map((text) => text.trim()));
        const known = allowed.filter((candidate) => named.has(candidate));
        if (known.length < named.size) {
            this.found(field, `some of ${allowed.join(", ")}, with commas between them`);
        }
        return known;
    }

    baseUrl(field: Field, allowed: string, query: readonly string[] = []): URL | undefined {
        const text = this.text(field);
        return text === undefined ? undefined : this.#baseUrls(field, [text], allowed, query)[0];
    }

    /** @param query names of parameters that are kept behind the joined path */
    baseUrls(field: Field, allowed: string, query: readonly string[] = []): readonly URL[] {
        return this.#baseUrls(field, this.#listed(field), allowed, query);
    }

    /** Other paths are joined to them, and their own path has one spelling. */
    #baseUrls(
        field: Field,
        texts: readonly string[],
        allowed: string,
        query: readonly string[],
    ): readonly URL[] {
        const urls = this.#parse(field, texts, ["http:", "https:"], allowed);
        if (!urls.every((url) => isBaseUrl(url, query))) {
            const but = query.length === 0 ? "" : `, but ${query.join(" and ")},`;
            this.found(field, `${allowed}, without user, password, "?"${but} and "#"`);
        }
        for (const url of urls) url.pathname = url.pathname.replace(/\/+$/, "");
        return urls;
    }

    urls(field: Field, protocols: readonly string[], allowed: string): readonly URL[] {
        return this.#parse(field, this.#listed(field), protocols, allowed);
    }

    #listed(field: Field): readonly string[] {
        return this.text(field)?.split(",") ?? [];
    }

    #parse(
        field: Field,
        texts: readonly string[],
        protocols: readonly string[],
        allowed: string,
    ): readonly URL[] {
        const urls = texts.map((text) => URL.parse(text.trim()));
        const sound = urls.filter(
            (url) => url && protocols.includes(url.protocol) && url.hostname !== "",
        );
        if (sound.length < texts.length) this.found(field, allowed);
        return sound.filter((url) => url !== null);
    }

    /** Notes a fault that was found in what the value names. */
    sound(field: Field, allowed: string, fault: string | undefined): void {
        if (fault !== undefined && fault !== "") this.found(field, `${allowed} (${fault})`);
    }

    found(field: Field, allowed: string): void {
        const value = this.text(field);
        // A URL may carry a password, so only its presence is told.
        const hidden =
            /(Urls?|Endpoint|Password|ApiKeys?|Proxy)$/.test(field) || field === "adminToken";
        const shown = value === undefined ? "not set" : hidden ? "wrong" : `"${value}"`;
        this.#findings.push(`${ENVIRONMENT[field]} is ${shown}; allowed: ${allowed}`);
    }

    finish(): void {
        if (this.#findings.length > 0) throw new ConfigError(this.#findings);
    }
}

/** What the service would leave out, or join a path to. */
function isBaseUrl(url: URL, query: readonly string[]): boolean {
    const { href, username, password, search, searchParams } = url;
    const isKnown = [...searchParams].every(
        ([name, value]) => query.includes(name) && value !== "",
    );
    const rest = search === "" ? href : href.replace(search, "");
    return username + password === "" && isKnown && !/[?#]/.test(rest);
}
