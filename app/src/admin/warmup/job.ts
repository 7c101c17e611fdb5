import { setTimeout as wait } from "node:timers/promises";

import type { Item } from "../../cache/item.ts";
import type { Fate, Resolver } from "../../cache/resolve.ts";
import { estimateTokens } from "../../upstream/estimateTokens.ts";
import { UpstreamError } from "../../upstream/upstream.ts";
import { overBudget, type Budget, type Price } from "./budget.ts";
import type { Line } from "./texts.ts";

/** How far a warm-up is. */
export interface Progress {
    /** Lines whose vector was in a cache already. */
    hits: number;
    embedded: number;
    failed: number;
    /** Tokens and dollars that were billed. */
    tokens: number;
    dollars: number;
    /** The first lines that failed, and why. */
    readonly failures: { readonly line: number; readonly error: string }[];
}

export interface JobParts {
    readonly resolver: Pick<Resolver, "resolveEach">;
    readonly itemOf: (text: string) => Item;
    readonly tenant: string;
    readonly price: Price;
    readonly budget: Budget;
    readonly concurrency: number;
    /** Requests of clients that wait for something now. */
    readonly waiting: () => number;
    readonly signal: AbortSignal;
    readonly progress: Progress;
}

/** A client's request waits for so many texts of a warm-up at most. */
export const TEXTS_PER_CALL = 32;
const CALL_MILLISECONDS = 60_000;
const MAX_FAILURES_SHOWN = 20;
const ATTEMPTS = 6;
const FIRST_PAUSE_MILLISECONDS = 500;
const MAX_PAUSE_MILLISECONDS = 30_000;
/** Behind steady traffic a warm-up is slow, and still ends. */
const LONGEST_COURTESY_MILLISECONDS = 1_000;
const POLL_MILLISECONDS = 20;

/** Why a job ended before its last line. */
export interface Cut {
    /** `stopped`: the budget is used up. `failed`: the upstream does not recover. */
    readonly state: "stopped" | "failed";
    readonly reason: string;
}

/**
 * Embeds what the caches lack, a few calls at a time and after the requests of clients.
 *
 * @returns undefined at the end of the lines. @throws when the signal aborts
 */
export async function runJob(
    lines: AsyncIterable<Line>,
    parts: JobParts,
): Promise<Cut | undefined> {
    const { budget, price, progress, signal, waiting } = parts;
    const batches = inBatches(lines);
    /** Of the calls that are under way. */
    const open = { calls: 0, tokens: 0 };
    let cut: Cut | undefined;

    async function work(): Promise<void> {
        for (;;) {
            const { value: batch } = await batches.next();
            if (!batch || cut !== undefined) return;
            await courtesy();
            const expected = batch.reduce((sum, { text }) => sum + estimateTokens(text), 0);
            open.calls += 1;
            open.tokens += expected;
            const tokens = progress.tokens + open.tokens;
            const dollars = progress.dollars + price(open.tokens, open.calls);
            const over = overBudget(budget, { tokens, dollars });
            cut ??= over === undefined ? await embed(batch) : stopped(over);
            open.calls -= 1;
            open.tokens -= expected;
        }
    }

    async function courtesy(): Promise<void> {
        const begun = performance.now();
        while (waiting() > 0 && performance.now() - begun < LONGEST_COURTESY_MILLISECONDS) {
            await wait(POLL_MILLISECONDS, undefined, { signal });
        }
        signal.throwIfAborted();
    }

    /** @returns why nothing more can be embedded now. */
    async function embed(batch: readonly Line[]): Promise<Cut | undefined> {
        let open = batch;
        for (let attempt = 1; ; attempt += 1) {
            const { later, error } = count(open, await resolve(open));
            if (error === undefined) return undefined;
            if (attempt === ATTEMPTS) return { state: "failed", reason: error.message };
            await wait(pause(attempt, error.retryAfterSeconds), undefined, { signal });
            open = later;
        }
    }

    function resolve(batch: readonly Line[]): Promise<readonly Fate[]> {
        signal.throwIfAborted();
        return parts.resolver.resolveEach(
            batch.map(({ text }) => parts.itemOf(text)),
            {
                pool: parts.tenant,
                tenant: parts.tenant,
                purpose: "warmup",
                dimensions: undefined,
                deadline: performance.now() + CALL_MILLISECONDS,
            },
        );
    }

    /** @returns the lines that may succeed later, and why they have not now */
    function count(batch: readonly Line[], fates: readonly Fate[]) {
        const later: Line[] = [];
        let error: UpstreamError | undefined;
        const before = progress.tokens;
        batch.forEach((line, index) => {
            const fate = fates[index];
            if (fate instanceof UpstreamError) {
                if (fate.status === 400) {
                    refused(line, fate);
                    return;
                }
                later.push(line);
                error = fate;
            } else if (fate instanceof Error) throw fate;
            else if (fate?.status === "MISS") {
                progress.embedded += 1;
                progress.tokens += fate.embedding.tokens;
            } else progress.hits += 1;
        });
        const tokens = progress.tokens - before;
        if (tokens > 0) progress.dollars += price(tokens, 1);
        return { later, error };
    }

    function refused({ line }: Line, { message }: UpstreamError): void {
        progress.failed += 1;
        if (progress.failures.length < MAX_FAILURES_SHOWN) {
            progress.failures.push({ line, error: message });
        }
    }

    try {
        await Promise.all(Array.from({ length: parts.concurrency }, work));
        return cut;
    } finally {
        // An error of one call ends the others, too.
        cut ??= { state: "failed", reason: "a call failed" };
        await batches.return();
    }
}

function stopped(over: string): Cut {
    return { state: "stopped", reason: `the next call would bring it to ${over}` };
}

async function* inBatches(lines: AsyncIterable<Line>): AsyncGenerator<readonly Line[], void> {
    let batch: Line[] = [];
    for await (const line of lines) {
        batch.push(line);
        if (batch.length < TEXTS_PER_CALL) continue;
        yield batch;
        batch = [];
    }
    if (batch.length > 0) yield batch;
}

function pause(attempt: number, retryAfterSeconds: number | undefined): number {
    const backoff = FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1);
    return Math.min((retryAfterSeconds ?? 0) * 1000 || backoff, MAX_PAUSE_MILLISECONDS);
}
