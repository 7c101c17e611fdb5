import {
    checkWeights,
    parseBytes,
    parseCpu,
    perColour,
    type Weights,
} from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import type { MoneySettings, TracingSettings } from "../components/colourPod.ts";
import type { Resources } from "../components/workload.ts";
import { BYTES, CPUS, pattern, type ConfigReader } from "./reader.ts";

/** Key of the upstream's secret, which Pulumi.yaml cannot declare as one. */
export const UPSTREAM_API_KEY = "service.upstreamApiKey";

const PROVIDERS = ["local", "openai"] as const;

/** An image that stays what it is: a digest, or a tag other than `latest`. */
export const IMAGE = pattern(
    /^[^\s@]+(:(?!latest$)\w[\w.-]{0,127}|@sha256:[0-9a-f]{64})$/,
    "an image with a digest or an exact tag (not latest)",
);
const VERSION = pattern(
    /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
    "a label value such as v1.2.3, at most 63 characters",
);

export const ADDRESS = pattern(/^https?:\/\/[^\s@]+$/, "an http or https URL without credentials");
const DOLLARS = pattern(/^\d+(\.\d+)?$/, "dollars in decimal notation such as 0.001");
const TOKEN_PRICES = pattern(
    /^\d{4}-\d{2}-\d{2}=\d+(\.\d+)?(,\d{4}-\d{2}-\d{2}=\d+(\.\d+)?)*$/,
    "dates and dollars per million tokens, oldest first, such as 2024-01-25=0.02,2027-01-01=0.015",
);
const SHARE = pattern(/^(0(\.\d+)?|1(\.0+)?)$/, "a number from 0 to 1");
const FOLDINGS = pattern(
    /^(case|punctuation)(,(case|punctuation))*$/,
    "some of case, punctuation, with commas between them",
);

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
          readonly revision: string;
          readonly apiKey: pulumi.Output<string>;
      };

export function readRelease(read: ConfigReader, colour: string): Release {
    return {
        image: read.required(`${colour}.image`, IMAGE),
        version: read.required(`${colour}.version`, VERSION),
    };
}

export function readWeights(read: ConfigReader): Weights {
    const check = checkWeights(read.json("traffic.weights"));
    if ("weights" in check) return check.weights;
    for (const words of check.findings) read.finding("traffic.weights", words);
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
    return {
        minReplicas,
        maxReplicas,
        resources: readResources(read),
        upstream: readUpstream(read),
        cacheTtl: read.integer("service.cacheTtl", 60, 31_536_000),
        cacheStale: read.integer("service.cacheStale", 0, 31_536_000),
        cachePrecision: read.oneOf("service.cachePrecision", ["float32", "float16", "int8"]),
        textFolding: read.optional("service.textFolding", FOLDINGS) ?? "",
        maxLocalCacheSize: read.integer("service.maxLocalCacheSize", 1, 1_000_000),
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
        memoryRequest: read.required("service.memoryRequest", BYTES),
        memoryLimit: read.required("service.memoryLimit", BYTES),
    };
    const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = resources;
    notBelow(read, "service.cpu", parseCpu(cpuLimit), parseCpu(cpuRequest));
    notBelow(read, "service.memory", parseBytes(memoryLimit), parseBytes(memoryRequest));
    return resources;
}

function notBelow(read: ConfigReader, key: string, limit = NaN, request = NaN): void {
    if (limit < request) {
        read.finding(`${key}Limit`, `is below the request; allowed: no less than ${key}Request`);
    }
}

function readUpstream(read: ConfigReader): UpstreamConfig {
    const provider = read.oneOf("service.provider", PROVIDERS);
    const model = read.required("service.model", pattern(/^\S+$/, "a name without blanks"));
    const modelThreads = read.integer("service.modelThreads", 1, 16);
    const addresses = pattern(
        /^https?:\/\/[^\s@,]+(,https?:\/\/[^\s@,]+)*$/,
        "http or https URLs without credentials, with commas between them",
    );
    const fallbackUrls = read.optional("service.upstreamFallbackUrls", addresses) ?? "";
    const revision = read.optional("service.revision", pattern(/^\S+$/, "a name without blanks"));
    const apiKey = read.secret(UPSTREAM_API_KEY);
    if (provider === "local") {
        read.optional("service.upstreamUrl", ADDRESS);
        return { provider, model, modelThreads };
    }
    const reason = "service.provider is openai";
    return {
        provider,
        model,
        url: read.required("service.upstreamUrl", ADDRESS, reason),
        fallbackUrls,
        revision: revision ?? "",
        apiKey: apiKey ?? read.requiredSecret(UPSTREAM_API_KEY, `a key, since ${reason}`),
    };
}
