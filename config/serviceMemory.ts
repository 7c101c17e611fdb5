import { KNOWN_MODELS, parseBytes, type KnownModel } from "@property-search/contract";
import type { ServiceSettings } from "@property-search/contract/settings";
import type { Resources } from "../components/workload.ts";
import type { ConfigReader } from "./reader.ts";

const MEBIBYTE = 1024 * 1024;

/** Rows of docs/service/limits.md that are the same for every stack, in MiB. */
const PROGRAM = 160;
const REMEMBERED_REQUESTS = 64;
const BODIES = 448;
const BODY_THREAD = 256;
const ANSWERS = 256;
const CONNECTIONS = 160;
/** Rows that depend on where vectors come from. */
const MODEL_THREAD = 100;
const TOKEN_THREAD = 128;
const ANSWER_THREAD = 160;

const BYTES_PER_ENTRY = 600;
const BYTES_PER_DIMENSION = 34.4;
const MOST_OF_VECTORS = 512;
/** Whoever serves it. */
const LOCAL_MODEL = { name: "all-MiniLM-L6-v2", dimensions: 384 };

/** @returns MiB that a pod may take, whatever its clients do */
function mostMebibytes({
    provider,
    model,
    modelThreads,
    localCacheMaxEntries,
}: Pick<ServiceSettings, "provider" | "model" | "modelThreads" | "localCacheMaxEntries">): number {
    const isLocal = provider === "local";
    const known = isLocal ? undefined : KNOWN_MODELS[model];
    const isLocalModel = isLocal || model === LOCAL_MODEL.name;
    const dimensions = isLocalModel ? LOCAL_MODEL.dimensions : keptDimensions(known);
    const bytes = localCacheMaxEntries * (BYTES_PER_ENTRY + dimensions * BYTES_PER_DIMENSION);
    const asking = ANSWER_THREAD + (known ? TOKEN_THREAD : 0);
    const computing = isLocal ? modelThreads * MODEL_THREAD : asking;
    const vectors = Math.min(MOST_OF_VECTORS, bytes / MEBIBYTE);
    const always = PROGRAM + REMEMBERED_REQUESTS + BODIES + BODY_THREAD + ANSWERS + CONNECTIONS;
    return Math.ceil(always + computing + vectors);
}

/** A vector that may be shortened is kept twice: its beginnings are kept too. */
function keptDimensions(known: KnownModel | undefined): number {
    return known ? known.dimensions * (known.supportsShortening ? 2 : 1) : Infinity;
}

/** A pod that takes more than its limit is killed, with all that it had in hand. */
export function checkMemory(
    read: ConfigReader,
    { memoryLimit }: Resources,
    settings: ServiceSettings,
): void {
    const least = mostMebibytes(settings);
    if (!((parseBytes(memoryLimit) ?? NaN) < least * MEBIBYTE)) return;
    read.addError(
        "service.memoryLimit",
        `is "${memoryLimit}"; allowed: no less than ${least}Mi, what a pod with these settings may take (docs/service/limits.md)`,
    );
}
