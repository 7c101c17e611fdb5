import { GHOST_GROUPS, GHOST_TTLS_SECONDS } from "@property-search/contract";
import type { TtlEvidence } from "../../src/tuning/evidence.ts";
import { DAY_SECONDS, type Trace } from "./trace.ts";

/** Dollars of one fetch, and of an entry that is kept for a second. */
export interface Prices {
    readonly perFetch: number;
    readonly perEntrySecond: number;
}

export interface SimulationOptions {
    readonly trace: Trace;
    /** Days before those that count: caches and ghosts are warm then. */
    readonly warmUpDays: number;
    readonly staleSeconds: number;
    /** @param day from the end of the warm-up on */
    readonly pricesOf: (day: number) => Prices;
}

/** Dollars saved by the cache, less what its entries cost, of each day since the end of the warm-up. */
export type NetByDay = readonly number[];

/** Jest looks globals up at each use. */
const { imul, floor, min } = Math;
const NEVER = Number.NEGATIVE_INFINITY;
/** Share of a lifetime by which it is shorter at random, as in the service. */
const JITTER = 0.1;
/** One in this many keys is followed by the ghosts. */
const KEYS_PER_SAMPLE = 4;
const MEMORY_SECONDS = 30 * DAY_SECONDS;

/**
 * A cache whose lifetime of entries is set each day.
 *
 * @param ttlOf lifetime of entries that are written on a day, after the evidence of the day before
 */
export function simulateCache(
    { trace, warmUpDays, staleSeconds, pricesOf }: SimulationOptions,
    ttlOf: (day: number, evidenceBefore: TtlEvidence | undefined) => number,
): NetByDay {
    const { times, texts, textCount } = trace;
    const fetchedAt = new Float64Array(textCount).fill(NEVER);
    const lifetimes = new Float64Array(textCount);
    const ghosts = createGhosts(textCount);
    const days = Math.ceil((times.at(-1) ?? 0) / DAY_SECONDS);
    const requests = new Float64Array(days);
    const fetches = new Float64Array(days);
    const entrySeconds = new Float64Array(days);
    let day = 0;
    let ttl = ttlOf(-warmUpDays, undefined);

    for (let at = 0; at < times.length; at += 1) {
        const [time = 0, text = 0] = [times[at], texts[at]];
        while (time >= (day + 1) * DAY_SECONDS) beginDay(day + 1);
        requests[day] = (requests[day] ?? 0) + 1;
        ghosts.record(text, time);
        const before = fetchedAt[text] ?? NEVER;
        const lifetime = lifetimes[text] ?? 0;
        if (time < before + lifetime) continue;
        hold(before, min(time, before + lifetime + staleSeconds));
        fetches[day] = (fetches[day] ?? 0) + 1;
        fetchedAt[text] = time;
        lifetimes[text] = ttl * (1 - JITTER * random(text, fetches[day] ?? 0));
    }
    for (let text = 0; text < textCount; text += 1) {
        const before = fetchedAt[text] ?? NEVER;
        hold(before, min(days * DAY_SECONDS, before + (lifetimes[text] ?? 0) + staleSeconds));
    }
    return Array.from({ length: days - warmUpDays }, (_, at) => {
        const { perFetch, perEntrySecond } = pricesOf(at);
        const all = at + warmUpDays;
        const saved = ((requests[all] ?? 0) - (fetches[all] ?? 0)) * perFetch;
        return saved - (entrySeconds[all] ?? 0) * perEntrySecond;
    });

    function beginDay(next: number): void {
        const known = min(MEMORY_SECONDS, next * DAY_SECONDS);
        const prices = pricesOf(day - warmUpDays);
        const evidence = {
            ...ghosts.takeDay(),
            memorySeconds: known,
            measuredFetches: fetches[day] ?? 0,
            dollarsPerFetch: prices.perFetch,
            dollarsPerEntrySecond: prices.perEntrySecond,
            staleSeconds,
        };
        day = next;
        ttl = ttlOf(day - warmUpDays, evidence);
    }

    /** Adds the time in which an entry was kept to the days in which it was. */
    function hold(from: number, to: number): void {
        if (from === NEVER) return;
        for (let start = from; start < to;) {
            const of = floor(start / DAY_SECONDS);
            const end = min(to, (of + 1) * DAY_SECONDS);
            entrySeconds[of] = (entrySeconds[of] ?? 0) + end - start;
            start = end;
        }
    }
}

/** For sampled keys, the fetches that entries of each fixed lifetime would have needed. */
function createGhosts(textCount: number) {
    const ttls = GHOST_TTLS_SECONDS;
    const freshUntil = ttls.map(() => new Float64Array(textCount).fill(NEVER));
    const empty = () => Array.from({ length: GHOST_GROUPS }, () => ttls.map(() => 0));
    let counts = empty();
    return {
        record: (text: number, time: number): void => {
            const hash = random(text, -1);
            if (hash >= 1 / KEYS_PER_SAMPLE) return;
            const group = counts[floor(hash * KEYS_PER_SAMPLE * GHOST_GROUPS)];
            ttls.forEach((ttl, at) => {
                const until = freshUntil[at];
                if (!until || !group || time < (until[text] ?? 0)) return;
                until[text] = time + ttl;
                group[at] = (group[at] ?? 0) + KEYS_PER_SAMPLE;
            });
        },
        takeDay: () => {
            const fetches = counts;
            counts = empty();
            return { ttls, fetches };
        },
    };
}

/** A number in [0, 1) that depends on both only, so that two caches with the same history have the same future. */
function random(text: number, count: number): number {
    let hash = imul(text + 1, 0x9e3779b1) ^ imul(count + 7, 0x85ebca6b);
    hash = imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = imul(hash ^ (hash >>> 12), 0x297a2d39);
    return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}
