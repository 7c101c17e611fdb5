import { setTimeout as delay } from "node:timers/promises";
import { embed, type EmbedResponse, type GatewayClient } from "../gateway/client.ts";
import { round, type TrafficRecord } from "./evidence.ts";

/** Texts that are requested repeatedly. */
const KNOWN = 50;
/** Every twentieth request is for a new text. */
const NEW_EVERY = 20;
const HITS = new Set(["HIT-L1", "HIT-L2", "SEMANTIC", "STALE"]);
const HIT_WINDOW_SECONDS = 10;

interface Answer {
    /** End, in milliseconds since the epoch. */
    readonly at: number;
    readonly isKnown: boolean;
    readonly isHit: boolean;
    readonly servedBy: EmbedResponse["servedBy"];
}

export interface TrafficOptions {
    readonly client: GatewayClient;
    readonly perSecond: number;
    /** The traffic ends after it, whatever happens to its owner. */
    readonly maxSeconds: number;
    /** Distinguishes the texts of this run from those of earlier ones. */
    readonly run: string;
}

/** Clients that send requests evenly, without retries, whether or not earlier ones have been answered. */
export interface Traffic {
    /** Time of the first failed request since a time, in milliseconds since the epoch. */
    readonly firstFailure: (since: number) => number | undefined;
    readonly lastFailure: () => number | undefined;
    /** Time of the first answer after a time. */
    readonly firstAnswer: (since: number) => number | undefined;
    /** Ratio of hits among known texts from one time to another; undefined without requests. */
    readonly hitRate: (from: number, to?: number) => number | undefined;
    /** Requests that a colour answered since a time. */
    readonly answeredBy: (colour: EmbedResponse["servedBy"], since: number) => number;
    readonly failed: () => number;
    /** Ends the traffic after the open requests. */
    readonly stop: () => Promise<void>;
    /** @param faultAt time of the fault, before which the first hit rate is measured */
    readonly record: (faultAt: number | undefined) => TrafficRecord;
}

/** Starts the traffic after each known text has been answered once. @throws Error if one is not */
export async function startTraffic({
    client,
    perSecond,
    maxSeconds,
    run,
}: TrafficOptions): Promise<Traffic> {
    const answers: Answer[] = [];
    const failures: { readonly at: number; readonly reason: string }[] = [];
    const textOf = (what: number | string) =>
        `Rehearsal ${run}, listing ${what}: two rooms, a garden and a view of the river`;
    for (let number = 0; number < KNOWN; number += 1) await embed(client, [textOf(number)]);

    const ended = new AbortController();
    const open = new Set<Promise<void>>();
    const start = Date.now();
    let sent = 0;

    async function sendOne(number: number): Promise<void> {
        const isKnown = number % NEW_EVERY !== NEW_EVERY - 1;
        const text = textOf(isKnown ? number % KNOWN : `new ${number}`);
        try {
            const { cache, servedBy } = await embed(client, [text]);
            const isHit = cache.every((status) => HITS.has(status));
            answers.push({ at: Date.now(), isKnown, isHit, servedBy });
        } catch (error) {
            failures.push({ at: Date.now(), reason: reasonOf(error) });
        }
    }

    const isOver = () => ended.signal.aborted || Date.now() - start > maxSeconds * 1000;

    async function sendAll(): Promise<void> {
        for (;;) {
            const due = start + (sent * 1000) / perSecond;
            await delay(Math.max(0, due - Date.now()), undefined, { signal: ended.signal }).catch(
                () => undefined,
            );
            if (isOver()) break;
            const request = sendOne(sent).finally(() => open.delete(request));
            sent += 1;
            open.add(request);
        }
        await Promise.all(open);
    }

    const finished = sendAll();
    const hitRate = (from: number, to = Infinity) => {
        const known = answers.filter(({ at, isKnown }) => isKnown && at >= from && at < to);
        if (known.length === 0) return undefined;
        return round(known.filter(({ isHit }) => isHit).length / known.length);
    };
    return {
        firstFailure: (since) => failures.find(({ at }) => at >= since)?.at,
        lastFailure: () => failures.at(-1)?.at,
        firstAnswer: (since) => answers.find(({ at }) => at >= since)?.at,
        hitRate,
        answeredBy: (colour, since) =>
            answers.filter(({ at, servedBy }) => at >= since && servedBy === colour).length,
        failed: () => failures.length,
        stop: async () => {
            ended.abort();
            await finished;
        },
        record: (faultAt) => {
            const window = HIT_WINDOW_SECONDS * 1000;
            const before = faultAt === undefined ? undefined : hitRate(faultAt - window, faultAt);
            const after = hitRate((answers.at(-1)?.at ?? 0) - window);
            return {
                perSecond,
                sent,
                failed: failures.length,
                failures: countReasons(failures.map(({ reason }) => reason)),
                ...(before !== undefined && { hitRateBefore: before }),
                ...(after !== undefined && { hitRateAfter: after }),
            };
        },
    };
}

function countReasons(reasons: readonly string[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
}

/** The status or the code of the connection's error: messages contain request IDs. */
function reasonOf(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    const status = /responded with (\d{3})/.exec(message)?.[1];
    if (status !== undefined) return `status ${status}`;
    // The client's message contains the text of its cause.
    const code = /\b(E[A-Z]{4,}|UND_ERR_[A-Z_]+|TimeoutError)\b/.exec(message)?.[1];
    return code ?? message.slice(0, 120);
}
