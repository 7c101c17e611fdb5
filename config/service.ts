import {
    isCorsOriginList,
    checkWeights,
    CORS_ORIGINS_ALLOWED,
    parseBytes,
    parseCpu,
    perColour,
    type Weights,
} from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import type { MoneySettings, TracingSettings } from "../components/embeddingService/pod.ts";
import type { Resources } from "../components/workload.ts";
import {
    ADDRESS,
    API_ADDRESS,
    API_ADDRESSES,
    CPUS,
    DOLLARS,
    IMAGE,
    LABEL_VALUE,
    MEMORY,
    NAME,
    pattern,
    PROXY,
    someOf,
    TOKEN_PRICES,
    type Allowed,
} from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";
import { checkMemory } from "./serviceMemory.ts";

/** Key of the upstream's secret, which Pulumi.yaml cannot declare as one. */
export const UPSTREAM_API_KEY = "service.upstreamApiKey";

/** Keys of its fallbacks, a secret too. */
export const UPSTREAM_FALLBACK_API_KEYS = "service.upstreamFallbackApiKeys";

/** The model in the image, whose limits the service knows (app/src/upstream/local). */
const LOCAL_MODEL = "all-MiniLM-L6-v2";
const PROVIDERS = ["local", "openai"] as const;

/** In the header that the API asks for. */
const API_KEY = pattern(/^[\x21-\x7e]{1,4096}$/, "a key of printable characters without blanks");
/** A key for each fallback, since one that was meant for another host must not be sent to it. */
const fallbackKeys = (fallbacks: number): Allowed => ({
    fits: (value) => {
        const keys = value.split(",");
        return keys.length === fallbacks && keys.every((key) => key === "" || API_KEY.fits(key));
    },
    words: `as many keys as service.upstreamFallbackUrls has URLs (${fallbacks}), with commas between them; nothing for one that wants none`,
});
const SHARE = pattern(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/, "a number from 0 to 1");
const CORS_ORIGINS = { fits: isCorsOriginList, words: CORS_ORIGINS_ALLOWED };
const FOLDINGS = someOf("case", "punctuation");

/** Bytes of a vector of the local model, the shortest there is; half of the memory may be for them. */
const BYTES_PER_VECTOR = 384 * 4;
const SHARE_OF_VECTORS = 0.5;

export interface Release {
    readonly image: string;
    readonly version: string;
}

export interface ServiceConfig {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly resources: Resources;
    readonly upstream: UpstreamConfig;
    readonly cacheTtl: number;
    readonly cacheStale: number;
    readonly cachePrecision: string;
    readonly textFolding: string;
    readonly corsOrigins: string;
    readonly maxLocalCacheSize: number;
    readonly money: MoneySettings;
    /** Undefined: nothing is traced. */
    readonly tracing: TracingSettings | undefined;
    readonly logLevel: string;
    readonly drain: { readonly preStopSeconds: number; readonly longestRequestSeconds: number };
}

export type UpstreamConfig =
    | { readonly provider: "local"; readonly model: string; readonly modelThreads: number }
    | {
          readonly provider: "openai";
          readonly model: string;
          readonly url: string;
          readonly fallbackUrls: string;
          readonly fallbackApiKeys: pulumi.Output<string> | undefined;
          readonly batchSize: number;
          /** Of a forward proxy; empty for none. */
          readonly proxy: string;
          readonly revision: string;
          readonly apiKey: pulumi.Output<string>;
      };

export function readRelease(read: ConfigReader, colour: string): Release {
    return {
        image: read.required(`${colour}.image`, IMAGE),
        version: read.required(`${colour}.version`, LABEL_VALUE),
    };
}

export function readWeights(read: ConfigReader): Weights {
    const check = checkWeights(read.json("traffic.weights"));
    if ("weights" in check) return check.weights;
    for (const words of check.errors) read.finding("traffic.weights", words);
    return perColour(() => NaN);
}

export function readService(read: ConfigReader): ServiceConfig {
    const minReplicas = read.integer("service.minReplicas", 2, 10);
    const maxReplicas = read.integer("service.maxReplicas", 2, 10);
    if (maxReplicas < minReplicas) {
        read.finding(
            "service.maxReplicas",
            `is ${maxReplicas}; allowed: no less than service.minReplicas (${minReplicas})`,
        );
    }
    const resources = readResources(read);
    const upstream = readUpstream(read);
    const maxLocalCacheSize = read.integer("service.maxLocalCacheSize", 1, 1_000_000);
    checkThreads(read, upstream, resources);
    checkCache(read, maxLocalCacheSize, resources);
    checkMemory(read, { resources, upstream, maxLocalCacheSize });
    return {
        minReplicas,
        maxReplicas,
        resources,
        upstream,
        cacheTtl: read.integer("service.cacheTtl", 60, 31_536_000),
        cacheStale: read.integer("service.cacheStale", 0, 31_536_000),
        cachePrecision: read.oneOf("service.cachePrecision", ["float32", "float16", "int8"]),
        textFolding: read.optional("service.textFolding", FOLDINGS) ?? "",
        corsOrigins: read.optional("service.corsOrigins", CORS_ORIGINS) ?? "",
        maxLocalCacheSize,
        money: {
            costPerRequest: read.required("service.costPerRequest", DOLLARS),
            tokenPrices: read.optional("service.tokenPrices", TOKEN_PRICES) ?? "",
            podCostPerHour: read.required("service.podCostPerHour", DOLLARS),
            storageCostPerHour: read.required("service.storageCostPerHour", DOLLARS),
        },
        tracing: readTracing(read),
        logLevel: read.oneOf("service.logLevel", ["debug", "info", "warn", "error"]),
        drain: {
            preStopSeconds: read.integer("service.preStopSeconds", 5, 60),
            longestRequestSeconds: read.integer("service.longestRequestSeconds", 1, 300),
        },
    };
}

function readTracing(read: ConfigReader): TracingSettings | undefined {
    const share = read.required("tracing.share", SHARE);
    const url = read.optional("tracing.url", ADDRESS);
    return url === undefined ? undefined : { url, share };
}

function readResources(read: ConfigReader): Resources {
    const resources = {
        cpuRequest: read.required("service.cpuRequest", CPUS),
        cpuLimit: read.required("service.cpuLimit", CPUS),
        memoryRequest: read.required("service.memoryRequest", MEMORY),
        memoryLimit: read.required("service.memoryLimit", MEMORY),
    };
    const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = resources;
    if ((parseCpu(cpuLimit) ?? NaN) < (parseCpu(cpuRequest) ?? NaN)) {
        const words = `is "${cpuLimit}"; allowed: no less than service.cpuRequest (${cpuRequest})`;
        read.finding("service.cpuLimit", words);
    }
    if ((parseBytes(memoryLimit) ?? NaN) < (parseBytes(memoryRequest) ?? NaN)) {
        const words = `is "${memoryLimit}"; allowed: no less than service.memoryRequest (${memoryRequest})`;
        read.finding("service.memoryLimit", words);
    }
    return resources;
}

/** Threads beyond the processors that a pod has wait for each other. */
function checkThreads(read: ConfigReader, upstream: UpstreamConfig, { cpuLimit }: Resources): void {
    const most = Math.ceil(parseCpu(cpuLimit) ?? NaN);
    if (upstream.provider !== "local" || !(upstream.modelThreads > most)) return;
    read.finding(
        "service.modelThreads",
        `is ${upstream.modelThreads}; allowed: no more than service.cpuLimit (${cpuLimit}) has CPUs`,
    );
}

function checkCache(read: ConfigReader, entries: number, { memoryLimit }: Resources): void {
    const bytes = SHARE_OF_VECTORS * (parseBytes(memoryLimit) ?? NaN);
    const most = Math.floor(bytes / BYTES_PER_VECTOR);
    if (!(entries > most)) return;
    read.finding(
        "service.maxLocalCacheSize",
        `is ${entries}; allowed: no more than ${most}, whose vectors fill half of service.memoryLimit (${memoryLimit})`,
    );
}

function readUpstream(read: ConfigReader): UpstreamConfig {
    const provider = read.oneOf("service.provider", PROVIDERS);
    const model = read.required("service.model", NAME);
    const modelThreads = read.integer("service.modelThreads", 1, 16);
    const fallbackUrls = read.optional("service.upstreamFallbackUrls", API_ADDRESSES) ?? "";
    const fallbacks = fallbackUrls === "" ? 0 : fallbackUrls.split(",").length;
    const fallbackApiKeys = read.secret(UPSTREAM_FALLBACK_API_KEYS, fallbackKeys(fallbacks));
    const batchSize = read.integer("service.upstreamBatchSize", 1, 2_048);
    const proxy = read.optional("service.upstreamProxy", PROXY) ?? "";
    const revision = read.optional("service.revision", NAME);
    const apiKey = read.secret(UPSTREAM_API_KEY, API_KEY);
    if (provider === "local") {
        read.optional("service.upstreamUrl", API_ADDRESS);
        if (model !== "" && model !== LOCAL_MODEL) {
            const words = `is ${JSON.stringify(model)}; allowed: ${LOCAL_MODEL}, since service.provider is local`;
            read.finding("service.model", words);
        }
        return { provider, model, modelThreads };
    }
    const reason = "service.provider is openai";
    return {
        provider,
        model,
        url: read.required("service.upstreamUrl", API_ADDRESS, reason),
        fallbackUrls,
        fallbackApiKeys,
        batchSize,
        proxy,
        revision: revision ?? "",
        apiKey: apiKey ?? read.requiredSecret(UPSTREAM_API_KEY, API_KEY, `, since ${reason}`),
    };
}
