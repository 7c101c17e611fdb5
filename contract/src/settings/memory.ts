import { KNOWN_MODELS, type KnownModel } from "../models.ts";
import type { ServiceSettings } from "./service.ts";

/** Settings that a pod's memory depends on. */
export type MemorySettings = Pick<
    ServiceSettings,
    | "provider"
    | "model"
    | "modelThreads"
    | "semanticMode"
    | "semanticMaxEntries"
    | "localCacheMaxEntries"
>;

const MEBIBYTE = 1024 * 1024;

/** Rows of docs/service/limits.md that are the same for every stack, in MiB. */
const PROGRAM = 160;
const REMEMBERED_REQUESTS = 64;
const BODIES = 448;
const BODY_THREAD = 256;
const ANSWERS = 256;
const CONNECTIONS = 160;
const GHOSTS = 3;
/** Rows that depend on where vectors come from. */
const MODEL_THREAD = 100;
const TOKEN_THREAD = 128;
const ANSWER_THREAD = 160;
/** Semantic reuse: its thread with the model, and texts as app/src/reuse/thread bounds them. */
const REUSE_THREAD = 240;
const REUSE_NAMESPACES = 8;
const REUSE_BYTES_PER_NAMESPACE_AND_DIMENSION = 12_000;
const REUSE_BYTES_PER_TEXT = 2_600;
const REUSE_BYTES_PER_TEXT_AND_DIMENSION = 2;
const MOST_OF_REUSED_TEXTS = 512;
/** For models whose dimensions are not known here. */
const MANY_DIMENSIONS = 3_072;

const BYTES_PER_ENTRY = 600;
const BYTES_PER_DIMENSION = 34.4;
const MOST_OF_VECTORS = 512;
/** The same by any provider. */
const LOCAL_MODEL = { name: "all-MiniLM-L6-v2", dimensions: 384, supportsShortening: false };

/** @returns maximum MiB that a pod uses, whatever its clients do, without the vectors in its memory */
function mebibytesWithoutVectors(settings: MemorySettings): number {
    const { provider, model, modelThreads, semanticMode, semanticMaxEntries } = settings;
    const isLocal = provider === "local";
    const known = isLocal ? undefined : KNOWN_MODELS[model];
    const asking = ANSWER_THREAD + (known ? TOKEN_THREAD : 0);
    const computing = isLocal ? modelThreads * MODEL_THREAD : asking;
    const always =
        PROGRAM + REMEMBERED_REQUESTS + BODIES + BODY_THREAD + ANSWERS + CONNECTIONS + GHOSTS;
    const reuse =
        semanticMode === "off" || isLocal
            ? 0
            : reuseMebibytes(
                  knownModel(settings)?.dimensions ?? MANY_DIMENSIONS,
                  semanticMaxEntries,
              );
    return always + computing + reuse;
}

function knownModel({ provider, model }: MemorySettings): KnownModel | undefined {
    const isLocalModel = provider === "local" || model === LOCAL_MODEL.name;
    return isLocalModel ? LOCAL_MODEL : KNOWN_MODELS[model];
}

/** A vector that may be shortened is kept twice: its beginnings are kept too. */
function bytesPerEntry(settings: MemorySettings): number {
    const { dimensions = Infinity, supportsShortening } = knownModel(settings) ?? {};
    return BYTES_PER_ENTRY + dimensions * (supportsShortening ? 2 : 1) * BYTES_PER_DIMENSION;
}

/** @returns maximum MiB that a pod uses, whatever its clients do */
export function mostMebibytes(settings: MemorySettings): number {
    const bytes = settings.localCacheMaxEntries * bytesPerEntry(settings);
    const vectors = Math.min(MOST_OF_VECTORS, bytes / MEBIBYTE);
    return Math.ceil(mebibytesWithoutVectors(settings) + vectors);
}

/** @returns most entries that the local cache of a pod with this memory may have; Infinity: its bound of bytes suffices */
export function localCacheEntriesWithin(bytes: number, settings: MemorySettings): number {
    const left = bytes / MEBIBYTE - mebibytesWithoutVectors(settings);
    return left >= MOST_OF_VECTORS
        ? Infinity
        : Math.floor((left * MEBIBYTE) / bytesPerEntry(settings));
}

/** Memory of semantic reuse in a pod. */
function reuseMebibytes(dimensions: number, entries: number): number {
    const perText = REUSE_BYTES_PER_TEXT + dimensions * REUSE_BYTES_PER_TEXT_AND_DIMENSION;
    const texts = Math.min(MOST_OF_REUSED_TEXTS, (entries * perText) / MEBIBYTE);
    const perNamespace = (dimensions * REUSE_BYTES_PER_NAMESPACE_AND_DIMENSION) / MEBIBYTE;
    return REUSE_THREAD + texts + REUSE_NAMESPACES * perNamespace;
}
