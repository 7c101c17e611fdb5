import { parseBytes, parseCpu, type Colour } from "@property-search/contract";
import {
    apiKeysFor,
    localCacheEntriesWithin,
    mostMebibytes,
    partsOfList,
    SERVICE_SETTINGS,
    type ServiceSettings,
} from "@property-search/contract/settings";
import type * as pulumi from "@pulumi/pulumi";
import type { Resources } from "../components/workload.ts";
import type { ConfigReader } from "./reader.ts";

/** The model in the image, whose limits the service knows (app/src/upstream/local). */
const LOCAL_MODEL = "all-MiniLM-L6-v2";

/** Bytes of a vector of the local model, the shortest there is; half of the memory may be for them. */
const BYTES_PER_VECTOR = 384 * 4;
const SHARE_OF_VECTORS = 0.5;
const MEBIBYTE = 1024 * 1024;

export interface Release {
    readonly image: string;
    readonly version: string;
}

export interface ServiceConfig {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly resources: Resources;
    readonly preStopSeconds: number;
    readonly settings: ServiceSettings;
    /** URL of a forward proxy to the upstreams; empty for none. */
    readonly upstreamProxy: string;
    /** Undefined: the provider is local. */
    readonly upstreamApiKey: pulumi.Output<string> | undefined;
    /** Undefined: the fallbacks need none. */
    readonly upstreamFallbackApiKeys: pulumi.Output<string> | undefined;
}

export function readRelease(read: ConfigReader, colour: Colour): Release {
    return read.group(colour);
}

export function readService(read: ConfigReader): ServiceConfig {
    const { cpuRequest, cpuLimit, memoryRequest, memoryLimit, upstreamProxy, ...others } =
        read.group("service");
    const { minReplicas, maxReplicas } = others;
    const resources = { cpuRequest, cpuLimit, memoryRequest, memoryLimit };
    if (maxReplicas < minReplicas) {
        read.addError(
            "service.maxReplicas",
            `is ${maxReplicas}; allowed: no less than service.minReplicas (${minReplicas})`,
        );
    }
    if ((parseCpu(cpuLimit) ?? NaN) < (parseCpu(cpuRequest) ?? NaN)) {
        const words = `is "${cpuLimit}"; allowed: no less than service.cpuRequest (${cpuRequest})`;
        read.addError("service.cpuLimit", words);
    }
    if ((parseBytes(memoryLimit) ?? NaN) < (parseBytes(memoryRequest) ?? NaN)) {
        const words = `is "${memoryLimit}"; allowed: no less than service.memoryRequest (${memoryRequest})`;
        read.addError("service.memoryLimit", words);
    }
    const settings = read.settings(SERVICE_SETTINGS);
    checkModel(read, settings, resources);
    checkCache(read, settings, resources);
    checkMemory(read, resources, settings);
    return {
        ...others,
        resources,
        settings: {
            ...settings,
            localCacheEntriesLimit: localCacheEntriesLimit(settings, resources),
        },
        upstreamProxy: upstreamProxy ?? "",
        ...readApiKeys(read, settings),
    };
}

function checkModel(
    read: ConfigReader,
    { provider, model, modelThreads }: ServiceSettings,
    { cpuLimit }: Resources,
): void {
    if (provider !== "local") return;
    if (model !== LOCAL_MODEL) {
        const words = `is ${JSON.stringify(model)}; allowed: ${LOCAL_MODEL}, since service.provider is local`;
        read.addError("service.model", words);
    }
    // Threads beyond the processors that a pod has wait for each other.
    if (!(modelThreads > Math.ceil(parseCpu(cpuLimit) ?? NaN))) return;
    read.addError(
        "service.modelThreads",
        `is ${modelThreads}; allowed: no more than service.cpuLimit (${cpuLimit}) has CPUs`,
    );
}

function checkCache(
    read: ConfigReader,
    { localCacheMaxEntries: entries }: ServiceSettings,
    { memoryLimit }: Resources,
): void {
    const most = mostVectors(parseBytes(memoryLimit) ?? NaN);
    if (!(entries > most)) return;
    read.addError(
        SERVICE_SETTINGS.localCacheMaxEntries.key,
        `is ${entries}; allowed: no more than ${most}, whose vectors fill half of service.memoryLimit (${memoryLimit})`,
    );
}

/** A pod that takes more than its limit is killed, with all that it had in hand. */
function checkMemory(
    read: ConfigReader,
    { memoryLimit }: Resources,
    settings: ServiceSettings,
): void {
    const least = mostMebibytes(settings);
    if (!((parseBytes(memoryLimit) ?? NaN) < least * MEBIBYTE)) return;
    read.addError(
        "service.memoryLimit",
        `is "${memoryLimit}"; allowed: no less than ${least}Mi, which a pod with these settings may use (docs/service/limits.md)`,
    );
}

const mostVectors = (memoryBytes: number): number =>
    Math.floor((SHARE_OF_VECTORS * memoryBytes) / BYTES_PER_VECTOR);

/** Most entries that a run-time setting may allow without a risk for the pod's memory; at least the configured number. */
function localCacheEntriesLimit(settings: ServiceSettings, { memoryLimit }: Resources): number {
    const { localCacheMaxEntries, localCacheEntriesLimit: unlimited } = settings;
    // An invalid limit is reported with the other errors.
    const bytes = parseBytes(memoryLimit) ?? 0;
    const within = Math.min(mostVectors(bytes), localCacheEntriesWithin(bytes, settings));
    return Math.max(localCacheMaxEntries, Math.min(unlimited, within));
}

function readApiKeys(
    read: ConfigReader,
    { provider, upstreamUrl, upstreamFallbackUrls }: ServiceSettings,
): Pick<ServiceConfig, "upstreamApiKey" | "upstreamFallbackApiKeys"> {
    const {
        upstreamUrl: url,
        upstreamApiKey: key,
        upstreamFallbackApiKeys: keys,
    } = SERVICE_SETTINGS;
    const { length } = partsOfList(upstreamFallbackUrls);
    const upstreamFallbackApiKeys = read.secret(
        keys.key,
        apiKeysFor(SERVICE_SETTINGS.upstreamFallbackUrls.key, length),
    );
    if (provider === "local") {
        read.secret(key.key, key);
        return { upstreamApiKey: undefined, upstreamFallbackApiKeys: undefined };
    }
    const reason = "service.provider is openai";
    if (upstreamUrl === "") read.requiredOf(url.key, url, reason);
    return {
        upstreamApiKey: read.requiredSecret(key.key, key, `, since ${reason}`),
        upstreamFallbackApiKeys,
    };
}
