import { setTimeout as wait } from "node:timers/promises";

import type { Item } from "../../cache/item.ts";
import type { ItemResult, Resolver } from "../../cache/resolver.ts";
import { estimateTokens } from "../../upstream/estimateTokens.ts";
import { UpstreamError } from "../../upstream/upstream.ts";
import { budgetExcess, type Budget, type Price } from "./budget.ts";
import type { Line } from "./texts.ts";

/** Progress of a warm-up. */
export interface Progress {
    /** Lines whose vector was already cached. */
    hits: number;
    embedded: number;
    failed: number;
    /** Tokens and dollars billed. */
    tokens: number;
    dollars: number;
    /** The first failed lines, with the reason. */
    readonly failures: { readonly line: number; readonly error: string }[];
}

export interface JobDependencies {
    readonly resolver: Pick<Resolver, "resolveEach">;
    readonly itemOf: (text: string) => Item;
    readonly tenant: string;
    readonly price: Price;
    readonly budget: Budget;
    readonly concurrency: number;
    /** Number of client requests that wait for a vector. */
    readonly waitingRequests: () => number;
    readonly signal: AbortSignal;
    readonly progress: Progress;
}

/** Bounds how many texts of a warm-up a client request may have to wait for. */
export const TEXTS_PER_CALL = 32;
const CALL_TIMEOUT_MILLISECONDS = 60_000;
const MAX_FAILURES_LISTED = 20;
const ATTEMPTS = 6;
const FIRST_BACKOFF_MILLISECONDS = 500;
const MAX_BACKOFF_MILLISECONDS = 30_000;
/** Under steady traffic a warm-up is slow, but it finishes. */
const MAX_YIELD_MILLISECONDS = 1_000;
const POLL_MILLISECONDS = 20;

/** Why a job ended before its last line. */
export interface EarlyEnd {
    /** `stopped`: the budget is exhausted. `failed`: the upstream does not recover. */
    readonly state: "stopped" | "failed";
    readonly reason: string;
}

/**
 * Embeds texts that are not cached, with a few concurrent calls, yielding to client requests.
 *
 * @returns undefined at the end of the lines
 * @throws when the signal aborts
 */
export async function runJob(
    lines: AsyncIterable<Line>,
    dependencies: JobDependencies,
): Promise<EarlyEnd | undefined> {
    const { budget, price, progress, signal, waitingRequests } = dependencies;
    const batches = splitIntoBatches(lines);
    /** Calls in flight. */
    const inFlight = { calls: 0, tokens: 0 };
    let earlyEnd: EarlyEnd | undefined;

    async function work(): Promise<void> {
        for (;;) {
            const { value: batch } = await batches.next();
            if (!batch || earlyEnd !== undefined) return;
            await yieldToClients();
            const expected = batch.reduce((sum, { text }) => sum + estimateTokens(text), 0);
            inFlight.calls += 1;
            inFlight.tokens += expected;
            const tokens = progress.tokens + inFlight.tokens;
            const dollars = progress.dollars + price(inFlight.tokens, inFlight.calls);
            const excess = budgetExcess(budget, { tokens, dollars });
            earlyEnd ??= excess === undefined ? await embed(batch) : stoppedByBudget(excess);
            inFlight.calls -= 1;
            inFlight.tokens -= expected;
        }
    }

    async function yieldToClients(): Promise<void> {
        const start = performance.now();
        while (waitingRequests() > 0 && performance.now() - start < MAX_YIELD_MILLISECONDS) {
            await wait(POLL_MILLISECONDS, undefined, { signal });
        }
        signal.throwIfAborted();
    }

    /** @returns why the job must end now */
    async function embed(batch: readonly Line[]): Promise<EarlyEnd | undefined> {
        let open = batch;
        for (let attempt = 1; ; attempt += 1) {
            const { later, error } = recordResults(open, await resolve(open));
            if (error === undefined) return undefined;
            if (attempt === ATTEMPTS) return { state: "failed", reason: error.message };
            await wait(backoff(attempt, error.retryAfterSeconds), undefined, { signal });
            open = later;
        }
    }

    function resolve(batch: readonly Line[]): Promise<readonly ItemResult[]> {
        signal.throwIfAborted();
        return dependencies.resolver.resolveEach(
            batch.map(({ text }) => dependencies.itemOf(text)),
            {
                pool: dependencies.tenant,
                tenant: dependencies.tenant,
                purpose: "warmup",
                dimensions: undefined,
                deadline: performance.now() + CALL_TIMEOUT_MILLISECONDS,
            },
        );
    }

    /** @returns the lines to retry, and the error that they failed with */
    function recordResults(batch: readonly Line[], results: readonly ItemResult[]) {
        const later: Line[] = [];
        let error: UpstreamError | undefined;
        const before = progress.tokens;
        batch.forEach((line, index) => {
            const result = results[index];
            if (result instanceof UpstreamError) {
                if (result.status === 400) {
                    recordFailure(line, result);
                    return;
                }
                later.push(line);
                error = result;
            } else if (result instanceof Error) throw result;
            else if (result?.status === "MISS") {
                progress.embedded += 1;
                progress.tokens += result.embedding.tokens;
            } else progress.hits += 1;
        });
        const tokens = progress.tokens - before;
        if (tokens > 0) progress.dollars += price(tokens, 1);
        return { later, error };
    }

    function recordFailure({ line }: Line, { message }: UpstreamError): void {
        progress.failed += 1;
        if (progress.failures.length < MAX_FAILURES_LISTED) {
            progress.failures.push({ line, error: message });
        }
    }

    try {
        await Promise.all(Array.from({ length: dependencies.concurrency }, work));
        return earlyEnd;
    } finally {
        // An error of one call stops the other calls, too.
        earlyEnd ??= { state: "failed", reason: "a call failed" };
        await batches.return();
    }
}

function stoppedByBudget(excess: string): EarlyEnd {
    return { state: "stopped", reason: `the next call would exceed the budget: ${excess}` };
}

async function* splitIntoBatches(
    lines: AsyncIterable<Line>,
): AsyncGenerator<readonly Line[], void> {
    let batch: Line[] = [];
    for await (const line of lines) {
        batch.push(line);
        if (batch.length < TEXTS_PER_CALL) continue;
        yield batch;
        batch = [];
    }
    if (batch.length > 0) yield batch;
}

function backoff(attempt: number, retryAfterSeconds: number | undefined): number {
    const backoff = FIRST_BACKOFF_MILLISECONDS * 2 ** (attempt - 1);
    return Math.min((retryAfterSeconds ?? 0) * 1000 || backoff, MAX_BACKOFF_MILLISECONDS);
}
