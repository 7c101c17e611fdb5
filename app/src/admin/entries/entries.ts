import { wallClock } from "../../clock.ts";
import type { EntryStore } from "../../cache/entryStore.ts";
import type { LocalCache } from "../../cache/tiers.ts";
import { HttpError, wrongField } from "../../http/error.ts";
import { parseOpenai, type ModelLimits } from "../../http/request.ts";
import type { KeyOf } from "../../key/key.ts";
import type { Normalise } from "../../key/normalise.ts";
import type { Log } from "../../log.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { entryFacts, type EntryCodec } from "../../vector/entry.ts";
import type { Trials } from "../../trials/trials.ts";
import type { Withdrawal } from "../../withdrawals/withdrawal.ts";
import {
    FOLLOW_MILLISECONDS,
    TooManyWithdrawals,
    type Withdrawals,
} from "../../withdrawals/withdrawals.ts";
import type { Knowledge } from "../knowledge.ts";
import { redisAway } from "../redisAway.ts";

export interface EntriesParts {
    readonly local: LocalCache;
    /** Undefined without Redis. */
    readonly store: EntryStore | undefined;
    readonly withdrawals: Withdrawals;
    readonly trials: Trials;
    readonly codec: EntryCodec;
    readonly knowledge: Knowledge;
    /** As the texts of clients are. */
    readonly normalise: Normalise;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly limits: ModelLimits;
    readonly ttlSeconds: number;
    readonly staleSeconds: number;
    readonly log: Log;
}

/** An input as a client sends it. */
export interface Asked {
    readonly tenant: string;
    readonly input: unknown;
    readonly dimensions?: number | undefined;
}

export interface Copy {
    readonly createdAt: string;
    readonly freshUntil: string;
    readonly tokens: number;
    readonly dimensions: number;
    readonly truncated: boolean;
}

export interface StoredFacts {
    readonly precision: string;
    readonly writer: string;
    /** It was written by this version over this model. */
    readonly writtenByThisBuild: boolean;
    readonly bytes: number;
}

export const LOCAL_STATES = ["absent", "fresh", "stale"] as const;
/**
 * `withdrawn`: flagged or deleted, and not served. `refused`: not served by this pod, since its build is on
 * trial, or since this pod does not know yet what is withdrawn. `off`: this pod has no Redis.
 */
export const REDIS_STATES = [
    ...LOCAL_STATES,
    "withdrawn",
    "refused",
    "damaged",
    "away",
    "off",
] as const;

/** Where an entry is and what it is like: never the text, and the vector only on request. */
export interface Report {
    readonly key: string;
    readonly local: { readonly state: (typeof LOCAL_STATES)[number] } & Partial<Copy>;
    readonly redis: { readonly state: (typeof REDIS_STATES)[number] } & Partial<Copy & StoredFacts>;
    readonly flag: Flag | null;
    readonly vector?: number[];
}

export interface Flag {
    readonly key: string;
    readonly reason: string;
    readonly actor: string;
    readonly flagged: string;
    /** The record ends when no copy from before the flag can be alive. */
    readonly ends: string;
}

/** What became of an order to take an entry out. */
export interface TakenOut {
    readonly key: string;
    readonly wasLocal: boolean;
    readonly wasInRedis: boolean;
    /** For so long another pod may still serve its own copy. */
    readonly othersFollowWithinMilliseconds: number;
}

export interface Entries {
    /** @throws HttpError for what no client could ask either */
    readonly keyOf: (asked: Asked) => string;
    readonly inspect: (key: string, withVector: boolean) => Promise<Report>;
    /** @throws HttpError while Redis is away: other pods would go on serving it */
    readonly flag: (key: string, reason: string, actor: string) => Promise<TakenOut>;
    /** @throws HttpError like `flag` */
    readonly remove: (key: string) => Promise<TakenOut>;
    readonly flags: () => readonly Flag[];
}

/** A pod that does not reach Redis for longer than this keeps a deleted copy until its end. */
const DELETION_KEPT_MILLISECONDS = 3_600_000;

export function entries(parts: EntriesParts): Entries {
    const { local, store, withdrawals, trials, knowledge, codec, keysOf, limits, log } = parts;

    function keyOf({ tenant, input, dimensions }: Asked): string {
        knowledge.require();
        // As a client's request is read, so that it is the same key.
        const body = Buffer.from(JSON.stringify({ model: limits.model, input, dimensions }));
        const wanted = parseOpenai(body, limits, parts.normalise);
        const [only, second] = wanted.inputs;
        if (only && !second) return keysOf(tenant)(only, wanted.dimensions);
        const count = wanted.inputs.length;
        throw wrongField("input", `input has ${count} items; allowed: one text or one list of ids`);
    }

    async function inspect(key: string, withVector: boolean): Promise<Report> {
        const near = local.get(key);
        const { far, report } = await inRedis(key);
        const { vector } = near ?? far ?? {};
        return {
            key,
            local: near ? { state: stateOf(near), ...copyOf(near) } : { state: "absent" },
            redis: report,
            flag: flagOf(withdrawals.of(key)) ?? null,
            ...(withVector && vector ? { vector: Array.from(vector) } : {}),
        };
    }

    async function inRedis(
        key: string,
    ): Promise<{ readonly far?: Embedding; readonly report: Report["redis"] }> {
        if (!store) return { report: { state: "off" } };
        let bytes: Buffer | null | undefined;
        try {
            [bytes] = await store.read([key]);
        } catch {
            return { report: { state: "away" } };
        }
        if (!bytes) return { report: { state: "absent" } };
        const far = codec.open(key, bytes, undefined);
        const facts = entryFacts(bytes);
        if (!far || !facts) return { report: { state: "damaged", bytes: bytes.length } };
        return {
            far,
            report: {
                state: servedState(key, far),
                ...copyOf(far),
                precision: facts.precision,
                writer: facts.writer,
                writtenByThisBuild: facts.writer === trials.writer,
                bytes: facts.bytes,
            },
        };
    }

    function servedState(key: string, far: Embedding): Report["redis"]["state"] {
        if (withdrawals.covers(key, far.createdAt)) return "withdrawn";
        if (!knowledge.isComplete()) return "refused";
        return trials.refusal(far) === undefined ? stateOf(far) : "refused";
    }

    async function takeOut(
        key: string,
        wish: Pick<Withdrawal, "kind" | "reason" | "actor">,
    ): Promise<TakenOut> {
        knowledge.require();
        try {
            const near = local.get(key);
            const [bytes] = (await store?.read([key])) ?? [];
            const far = bytes && codec.open(key, bytes, undefined);
            await withdrawals.add(withdrawalOf(key, wish, [near, far]));
            local.remove(key);
            const wasInRedis = (await store?.remove(key)) ?? false;
            return {
                key,
                wasLocal: near !== undefined,
                wasInRedis,
                othersFollowWithinMilliseconds: store ? FOLLOW_MILLISECONDS : 0,
            };
        } catch (error) {
            if (!(error instanceof TooManyWithdrawals)) throw redisAway(error, log);
            const message = `${error.message}: raise the tenant's epoch instead (POST /admin/v1/epochs)`;
            throw new HttpError(409, message, { code: "too_many_withdrawals" });
        }
    }

    function withdrawalOf(
        key: string,
        wish: Pick<Withdrawal, "kind" | "reason" | "actor">,
        copies: readonly (Embedding | null | undefined)[],
    ): Withdrawal {
        const at = wallClock();
        // Another pod's clock may be ahead of this one's.
        const upTo = Math.max(at, ...copies.map((copy) => copy?.createdAt ?? 0));
        const freshUntil = copies.map((copy) => copy?.freshUntil ?? 0);
        const alive =
            Math.max(upTo + parts.ttlSeconds * 1000, ...freshUntil) + parts.staleSeconds * 1000;
        const before = withdrawals.of(key);
        // That it is gone does not make it right: the flag stays.
        if (wish.kind === "deleted" && before?.kind === "flagged") {
            return { ...before, upTo, until: alive };
        }
        const until = wish.kind === "flagged" ? alive : upTo + DELETION_KEPT_MILLISECONDS;
        return { key, ...wish, at, upTo, until };
    }

    return {
        keyOf,
        inspect,
        flag: async (key, reason, actor) => {
            const taken = await takeOut(key, { kind: "flagged", reason, actor });
            log.warn({ reason, actor }, "An entry was flagged as wrong");
            return taken;
        },
        remove: (key) => takeOut(key, { kind: "deleted", reason: "", actor: "" }),
        flags: () => {
            knowledge.require();
            return withdrawals.list().flatMap((one) => flagOf(one) ?? []);
        },
    };
}

function stateOf({ freshUntil }: Embedding): "fresh" | "stale" {
    return freshUntil > wallClock() ? "fresh" : "stale";
}

function copyOf({ createdAt, freshUntil, tokens, vector, truncated }: Embedding): Copy {
    return {
        createdAt: timeOf(createdAt),
        freshUntil: timeOf(freshUntil),
        tokens,
        dimensions: vector.length,
        truncated,
    };
}

function flagOf(withdrawal: Withdrawal | undefined): Flag | undefined {
    if (withdrawal?.kind !== "flagged") return undefined;
    const { key, reason, actor, at, until } = withdrawal;
    return { key, reason, actor, flagged: timeOf(at), ends: timeOf(until) };
}

function timeOf(milliseconds: number): string {
    return new Date(milliseconds).toISOString();
}
