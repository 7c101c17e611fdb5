import { wallClock } from "../../clock.ts";
import type { EntryStore } from "../../cache/entryStore.ts";
import type { Item } from "../../cache/item.ts";
import type { LocalCache } from "../../cache/tiers.ts";
import { HttpError, invalidFieldError } from "../../http/protocol/error.ts";
import { parseOpenai, type ModelLimits } from "../../http/protocol/embeddingRequest.ts";
import type { KeyOf } from "../../key/key.ts";
import type { Normalise } from "../../key/normalise.ts";
import type { Log } from "../../log.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { entryFacts, type EntryCodec } from "../../vector/entry.ts";
import type { Quarantines } from "../../quarantines/quarantines.ts";
import type { Invalidation } from "../../invalidations/record.ts";
import {
    INVALIDATION_PROPAGATION_MILLISECONDS,
    TooManyInvalidationsError,
    type Invalidations,
} from "../../invalidations/invalidations.ts";
import type { DataReadiness } from "../dataReadiness.ts";
import { redisUnavailable } from "../redisUnavailable.ts";

export interface EntriesDependencies {
    readonly local: LocalCache;
    /** Undefined without Redis. */
    readonly store: EntryStore | undefined;
    readonly invalidations: Invalidations;
    readonly quarantines: Quarantines;
    readonly codec: EntryCodec;
    readonly readiness: DataReadiness;
    /** The same normalisation as for client requests. */
    readonly normalise: Normalise;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly limits: ModelLimits;
    /** The longest time for which an entry that exists may still be fresh. */
    readonly longestTtlSeconds: () => number;
    readonly staleSeconds: number;
    readonly log: Log;
}

/** An input with its key, and the dimensions requested from the upstream. */
export interface ItemWithDimensions {
    readonly item: Item;
    readonly dimensions: number | undefined;
}

/** An input in the form that clients send. */
export interface EntryInput {
    readonly tenant: string;
    readonly input: unknown;
    readonly dimensions?: number | undefined;
}

export interface CopyFacts {
    readonly createdAt: string;
    readonly freshUntil: string;
    readonly tokens: number;
    readonly dimensions: number;
    readonly truncated: boolean;
}

export interface StoredFacts {
    readonly precision: string;
    readonly buildId: string;
    /** Whether this version wrote it with this model. */
    readonly writtenByThisBuild: boolean;
    readonly bytes: number;
}

export const LOCAL_STATES = ["absent", "fresh", "stale"] as const;
/**
 * `invalidated`: flagged or deleted. `skipped`: not served by this pod, because the build is quarantined or
 * the pod has not read the invalidations yet. `off`: no Redis configured.
 */
export const REDIS_STATES = [
    ...LOCAL_STATES,
    "invalidated",
    "skipped",
    "corrupt",
    "unavailable",
    "off",
] as const;

/** Location and metadata of an entry; never its text, and its vector only on request. */
export interface EntryReport {
    readonly key: string;
    readonly local: { readonly state: (typeof LOCAL_STATES)[number] } & Partial<CopyFacts>;
    readonly redis: { readonly state: (typeof REDIS_STATES)[number] } & Partial<
        CopyFacts & StoredFacts
    >;
    readonly flag: Flag | null;
    readonly vector?: number[];
}

export interface Flag {
    readonly key: string;
    readonly reason: string;
    readonly actor: string;
    readonly flaggedAt: string;
    /** Expiry of the record: no copy from before the flag outlives it. */
    readonly expiresAt: string;
}

/** Result of a flag or a deletion. */
export interface InvalidationResult {
    readonly key: string;
    readonly wasLocal: boolean;
    readonly wasInRedis: boolean;
    /** Until then, other pods may still serve their copies. */
    readonly propagationMilliseconds: number;
}

export interface Entries {
    /** @throws HttpError if a client request with this input would fail */
    readonly itemOf: (input: EntryInput) => ItemWithDimensions;
    readonly inspect: (key: string, withVector: boolean) => Promise<EntryReport>;
    /** @throws HttpError while Redis is unavailable, because other pods would keep serving the entry */
    readonly flag: (key: string, reason: string, actor: string) => Promise<InvalidationResult>;
    /** @throws HttpError like `flag` */
    readonly remove: (key: string) => Promise<InvalidationResult>;
    readonly flags: () => readonly Flag[];
}

/** A pod without Redis for longer than this keeps a deleted copy until it expires. */
const DELETION_RETENTION_MILLISECONDS = 3_600_000;

export function createEntries(dependencies: EntriesDependencies): Entries {
    const { local, store, invalidations, quarantines, readiness, codec, keysOf, limits, log } =
        dependencies;

    function itemOf({ tenant, input, dimensions }: EntryInput): ItemWithDimensions {
        readiness.requireComplete();
        // The parser of client requests yields the same key.
        const body = Buffer.from(JSON.stringify({ model: limits.model, input, dimensions }));
        const wanted = parseOpenai(body, limits, dependencies.normalise);
        const [only, second] = wanted.inputs;
        if (only && !second) {
            const item = { key: keysOf(tenant)(only, wanted.dimensions), input: only };
            return { item, dimensions: wanted.dimensions };
        }
        const count = wanted.inputs.length;
        throw invalidFieldError(
            "input",
            `input has ${count} items; allowed: one text or one list of token IDs`,
        );
    }

    async function inspect(key: string, withVector: boolean): Promise<EntryReport> {
        const localCopy = local.get(key);
        const { redisCopy, report } = await inspectRedis(key);
        const { vector } = localCopy ?? redisCopy ?? {};
        return {
            key,
            local: localCopy
                ? { state: stateOf(localCopy), ...factsOf(localCopy) }
                : { state: "absent" },
            redis: report,
            flag: flagOf(invalidations.find(key)) ?? null,
            ...(withVector && vector ? { vector: Array.from(vector) } : {}),
        };
    }

    async function inspectRedis(
        key: string,
    ): Promise<{ readonly redisCopy?: Embedding; readonly report: EntryReport["redis"] }> {
        if (!store) return { report: { state: "off" } };
        let bytes: Buffer | null | undefined;
        try {
            [bytes] = await store.read([key]);
        } catch {
            return { report: { state: "unavailable" } };
        }
        if (!bytes) return { report: { state: "absent" } };
        const redisCopy = codec.decode(key, bytes, undefined);
        const facts = entryFacts(bytes);
        if (!redisCopy || !facts) return { report: { state: "corrupt", bytes: bytes.length } };
        return {
            redisCopy,
            report: {
                state: redisStateOf(key, redisCopy),
                ...factsOf(redisCopy),
                precision: facts.precision,
                buildId: facts.buildId,
                writtenByThisBuild: facts.buildId === quarantines.buildId,
                bytes: facts.bytes,
            },
        };
    }

    function redisStateOf(key: string, redisCopy: Embedding): EntryReport["redis"]["state"] {
        if (invalidations.isInvalidated(key, redisCopy.createdAt)) return "invalidated";
        if (!readiness.isComplete()) return "skipped";
        return quarantines.skipReason(redisCopy) === undefined ? stateOf(redisCopy) : "skipped";
    }

    async function invalidate(
        key: string,
        change: Pick<Invalidation, "kind" | "reason" | "actor">,
    ): Promise<InvalidationResult> {
        readiness.requireComplete();
        try {
            const localCopy = local.get(key);
            const [bytes] = (await store?.read([key])) ?? [];
            const redisCopy = bytes && codec.decode(key, bytes, undefined);
            await invalidations.add(createInvalidation(key, change, [localCopy, redisCopy]));
            local.remove(key);
            const wasInRedis = (await store?.remove(key)) ?? false;
            return {
                key,
                wasLocal: localCopy !== undefined,
                wasInRedis,
                propagationMilliseconds: store ? INVALIDATION_PROPAGATION_MILLISECONDS : 0,
            };
        } catch (error) {
            if (!(error instanceof TooManyInvalidationsError)) throw redisUnavailable(error, log);
            const message = `${error.message}: increment the tenant's epoch instead (POST /admin/v1/epochs)`;
            throw new HttpError(409, message, { code: "too_many_invalidations" });
        }
    }

    function createInvalidation(
        key: string,
        change: Pick<Invalidation, "kind" | "reason" | "actor">,
        copies: readonly (Embedding | null | undefined)[],
    ): Invalidation {
        const at = wallClock();
        // The clock of another pod may be ahead.
        const invalidBefore = Math.max(at, ...copies.map((copy) => copy?.createdAt ?? 0));
        const freshUntil = copies.map((copy) => copy?.freshUntil ?? 0);
        const expiresAt =
            Math.max(invalidBefore + dependencies.longestTtlSeconds() * 1000, ...freshUntil) +
            dependencies.staleSeconds * 1000;
        const before = invalidations.find(key);
        // A deletion does not remove the flag.
        if (change.kind === "deleted" && before?.kind === "flagged") {
            return { ...before, invalidBefore, expiresAt };
        }
        const until =
            change.kind === "flagged" ? expiresAt : invalidBefore + DELETION_RETENTION_MILLISECONDS;
        return { key, ...change, recordedAt: at, invalidBefore, expiresAt: until };
    }

    return {
        itemOf,
        inspect,
        flag: async (key, reason, actor) => {
            const result = await invalidate(key, { kind: "flagged", reason, actor });
            log.warn({ reason, actor }, "An entry was flagged as wrong");
            return result;
        },
        remove: (key) => invalidate(key, { kind: "deleted", reason: "", actor: "" }),
        flags: () => {
            readiness.requireComplete();
            return invalidations.list().flatMap((one) => flagOf(one) ?? []);
        },
    };
}

function stateOf({ freshUntil }: Embedding): "fresh" | "stale" {
    return freshUntil > wallClock() ? "fresh" : "stale";
}

function factsOf({ createdAt, freshUntil, tokens, vector, truncated }: Embedding): CopyFacts {
    return {
        createdAt: formatTime(createdAt),
        freshUntil: formatTime(freshUntil),
        tokens,
        dimensions: vector.length,
        truncated,
    };
}

function flagOf(invalidation: Invalidation | undefined): Flag | undefined {
    if (invalidation?.kind !== "flagged") return undefined;
    const { key, reason, actor, recordedAt, expiresAt } = invalidation;
    return {
        key,
        reason,
        actor,
        flaggedAt: formatTime(recordedAt),
        expiresAt: formatTime(expiresAt),
    };
}

function formatTime(milliseconds: number): string {
    return new Date(milliseconds).toISOString();
}
