import type { Embedding } from "../vector/embedding.ts";
import type { Concurrency } from "./concurrency.ts";
import { askQueue, type Ask } from "./queue.ts";
import { UpstreamError, type Upstream, type UpstreamEvents } from "./upstream.ts";

export interface BatchedOptions {
    readonly concurrency: Concurrency;
    readonly events: UpstreamEvents;
}

/** One call's share of OpenAI's limits, less than all of them: a call that fails is repeated whole. */
const CALL = { items: 256, bytes: 256 * 1024 };
/** While other calls are under way, a call waits so long for more to join it. */
const JOIN_MILLISECONDS = 3;
const MOST_WAITING_INPUTS = 20_000;
/** Of the mean duration of a call: a new value's weight. */
const SMOOTHING = 0.1;

/**
 * Joins what several requests want at the same time into one call, and bounds the calls that are under
 * way. A request that comes while none is goes out at once.
 */
export function batched(
    inner: Pick<Upstream, "embed">,
    { concurrency, events }: BatchedOptions,
): Upstream["embed"] {
    const queue = askQueue();
    let inFlight = 0;
    let timer: NodeJS.Timeout | undefined;
    let soon = false;
    let meanMilliseconds = 0;

    function flush(): void {
        clearTimeout(timer);
        timer = undefined;
        soon = false;
        while (inFlight < concurrency.limit() && queue.asks() > 0) {
            const asks = queue.take(CALL).filter(inTime);
            if (asks.length > 0) void send(asks);
        }
        events.waiting(queue.inputs(), inFlight, concurrency.limit());
    }

    async function send(asks: readonly Ask[]): Promise<void> {
        inFlight += 1;
        const begun = performance.now();
        try {
            await call(asks);
            concurrency.succeeded(inFlight);
        } catch (error) {
            const [first, second] = asks;
            // Refused for what one of them wants: the others did nothing wrong.
            if (first && second && error instanceof UpstreamError && error.status === 400) {
                await Promise.all(asks.map((ask) => call([ask]).catch(asError(ask.reject))));
            } else for (const { reject } of asks) asError(reject)(error);
        } finally {
            inFlight -= 1;
            const took = performance.now() - begun;
            meanMilliseconds += (took - meanMilliseconds) * SMOOTHING;
            if (queue.asks() > 0) flush();
            else events.waiting(0, inFlight, concurrency.limit());
        }
    }

    async function call(asks: readonly Ask[]): Promise<void> {
        const [first] = asks;
        if (!first) return;
        const inputs = asks.flatMap((ask) => ask.inputs);
        const deadline = Math.max(...asks.map((ask) => ask.deadline));
        // A call has one trace: that of the first request which it serves.
        const { pool, tenant, purpose, dimensions, span } = first;
        const scope = { pool, tenant, purpose, dimensions, deadline, span };
        const embeddings = await inner.embed(inputs, scope);
        events.called(inputs.length, asks.length);
        let at = 0;
        for (const { inputs: own, resolve } of asks) {
            resolve(embeddings.slice(at, at + own.length));
            at += own.length;
        }
    }

    return (inputs, scope) =>
        new Promise<readonly Embedding[]>((resolve, reject) => {
            const refusal = overload(queue.inputs() + inputs.length, scope.deadline);
            if (refusal) {
                reject(refusal);
                return;
            }
            queue.add({ ...scope, inputs, resolve, reject });
            if (queue.inputs() >= CALL.items) flush();
            else if (inFlight > 0) timer ??= setTimeout(flush, JOIN_MILLISECONDS);
            else if (!soon) {
                soon = true;
                // After the input of this turn of the event loop has been read.
                setImmediate(flush);
            }
        });

    /** Refuses at once what would only wait until its time is up. */
    function overload(waiting: number, deadline: number): UpstreamError | undefined {
        const rounds = waiting / (CALL.items * concurrency.limit());
        const late = performance.now() + rounds * meanMilliseconds > deadline;
        if (waiting <= MOST_WAITING_INPUTS && !late) return undefined;
        events.overloaded();
        const message = "Too many requests wait for the upstream; try again later";
        return new UpstreamError(503, "overloaded", message, 1);
    }
}

function inTime({ deadline, reject }: Ask): boolean {
    if (performance.now() < deadline) return true;
    reject(new UpstreamError(504, "upstream_timeout", "The upstream did not answer in time"));
    return false;
}

function asError(reject: (error: Error) => void): (error: unknown) => void {
    return (error) => reject(error instanceof Error ? error : new Error(String(error)));
}
