import {
    checkWeights,
    parseBytes,
    parseCpu,
    perColour,
    type Weights,
} from "@property-search/contract";
import {
    apiKeysFor,
    partsOfList,
    PROXY,
    SERVICE_SETTINGS,
    type ServiceSettings,
} from "@property-search/contract/settings";
import type * as pulumi from "@pulumi/pulumi";
import type { Resources } from "../components/workload.ts";
import { CPUS, IMAGE, LABEL_VALUE, MEMORY } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";
import { checkMemory } from "./serviceMemory.ts";

/** The model in the image, whose limits the service knows (app/src/upstream/local). */
const LOCAL_MODEL = "all-MiniLM-L6-v2";

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
    readonly preStopSeconds: number;
    readonly settings: ServiceSettings;
    /** URL of a forward proxy to the upstreams; empty for none. */
    readonly upstreamProxy: string;
    /** Undefined: the provider is local. */
    readonly upstreamApiKey: pulumi.Output<string> | undefined;
    /** Undefined: the fallbacks need none. */
    readonly upstreamFallbackApiKeys: pulumi.Output<string> | undefined;
}

export function readRelease(read: ConfigReader, colour: string): Release {
    return {
        image: read.required(`${colour}.image`, IMAGE),
        version: read.required(`${colour}.version`, LABEL_VALUE),
    };
}

export function readWeights(read: ConfigReader): Weights {
    const check = checkWeights(read.json("traffic.weights"));
    if ("weights" in check) return check.weights;
    for (const words of check.errors) read.addError("traffic.weights", words);
    return perColour(() => NaN);
}

export function readService(read: ConfigReader): ServiceConfig {
    const minReplicas = read.integer("service.minReplicas", 2, 10);
    const maxReplicas = read.integer("service.maxReplicas", 2, 10);
    if (maxReplicas < minReplicas) {
        read.addError(
            "service.maxReplicas",
            `is ${maxReplicas}; allowed: no less than service.minReplicas (${minReplicas})`,
        );
    }
    const resources = readResources(read);
    const settings = read.settings(SERVICE_SETTINGS);
    checkModel(read, settings, resources);
    checkCache(read, settings, resources);
    checkMemory(read, resources, settings);
    return {
        minReplicas,
        maxReplicas,
        resources,
        preStopSeconds: read.integer("service.preStopSeconds", 5, 60),
        settings,
        upstreamProxy: read.optional("service.upstreamProxy", PROXY) ?? "",
        ...readApiKeys(read, settings),
    };
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
        read.addError("service.cpuLimit", words);
    }
    if ((parseBytes(memoryLimit) ?? NaN) < (parseBytes(memoryRequest) ?? NaN)) {
        const words = `is "${memoryLimit}"; allowed: no less than service.memoryRequest (${memoryRequest})`;
        read.addError("service.memoryLimit", words);
    }
    return resources;
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
    const bytes = SHARE_OF_VECTORS * (parseBytes(memoryLimit) ?? NaN);
    const most = Math.floor(bytes / BYTES_PER_VECTOR);
    if (!(entries > most)) return;
    read.addError(
        SERVICE_SETTINGS.localCacheMaxEntries.key,
        `is ${entries}; allowed: no more than ${most}, whose vectors fill half of service.memoryLimit (${memoryLimit})`,
    );
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
    if (upstreamUrl === "") read.required(url.key, url, reason);
    return {
        upstreamApiKey: read.requiredSecret(key.key, key, `, since ${reason}`),
        upstreamFallbackApiKeys,
    };
}
