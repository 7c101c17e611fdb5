import { nextBulkTurn } from "../../bulkTurn.ts";
import { detach } from "../../detach.ts";
import type { Input } from "../../input.ts";
import type { RequestContext } from "../../requestContext.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { measureInputs, type InputSize } from "../inputSize.ts";
import { isShareExhausted, lateError, overloadedError } from "../queueLimit.ts";
import {
    toUpstreamError,
    type Upstream,
    type UpstreamError,
    type UpstreamEvents,
} from "../upstream.ts";
import { createBisection, mayBeInputs, type Batch } from "./bisection.ts";
import type { CallSizes } from "./callSize.ts";
import type { Concurrency } from "./concurrency.ts";
import { createFairQueue } from "./fairQueue.ts";
import {
    contextOf,
    createPendingCall,
    isBulk,
    reportEach,
    reportExpired,
    reportInTurns,
    type PendingCall,
} from "./pendingCall.ts";
import { inputsOf, measureSlices, splitSlices } from "./slices.ts";

/** One call of the provider, which succeeds or fails as a whole. */
export type CallUpstream = (
    inputs: readonly Input[],
    context: RequestContext,
) => Promise<readonly Embedding[]>;

export interface BatchingOptions {
    readonly concurrency: Concurrency;
    readonly sizes: CallSizes;
    readonly events: UpstreamEvents;
    /**
     * Whether a failed batch may be split and retried, by the tenant of its first request. Such retries must not
     * multiply an outage. Default: always.
     */
    readonly mayRepeat?: (tenant: string) => boolean;
}

/** While other batches are in flight, a batch waits this long for more inputs. */
const JOIN_MILLISECONDS = 3;
/** Weight of a new value in the moving average of call durations. */
const SMOOTHING = 0.1;

/**
 * Batches the inputs of concurrent requests into calls, splits what exceeds a call, and limits the calls in
 * flight. A failed batch is bisected until the inputs at fault are isolated. A request is sent immediately
 * while no call is in flight.
 */
export function withBatching(
    callUpstream: CallUpstream,
    { concurrency, sizes, events, mayRepeat = () => true }: BatchingOptions,
): Pick<Upstream, "embed" | "state"> {
    const queue = createFairQueue<PendingCall>();
    const bisection = createBisection(sizes, mayRepeat);
    /** Parts of failed batches; they have priority over new inputs. */
    const parts: Batch[] = [];
    let inFlight = 0;
    let timer: NodeJS.Timeout | undefined;
    let isScheduled = false;
    let meanMilliseconds = 0;

    function flush(): void {
        clearTimeout(timer);
        timer = undefined;
        isScheduled = false;
        while (inFlight < concurrency.limit()) {
            const batch = nextBatch();
            if (!batch) break;
            detach(send(batch));
        }
        events.onQueueChange(waitingSize().items, inFlight, concurrency.limit());
    }

    function nextBatch(): Batch | undefined {
        for (;;) {
            const next = parts.findIndex(({ searched }) => !searched?.isSearched);
            const [part] = next < 0 ? [] : parts.splice(next, 1);
            const slices = part?.slices ?? queue.take(sizes.current());
            if (slices.length === 0) return undefined;
            const wanted = slices.filter(({ call }) => call.open.size > 0);
            const [first, ...others] = splitSlices(wanted, sizes.current());
            if (!first) continue;
            if (others.length === 0) return { ...part, slices: first };
            parts.unshift(...others.map((more) => ({ slices: more })));
            return { slices: first };
        }
    }

    async function send(batch: Batch): Promise<void> {
        inFlight += 1;
        const { searched, slices } = batch;
        if (searched) searched.isSearched = true;
        const size = measureSlices(slices);
        // A request of 2,048 inputs would send its eight calls in one turn.
        if (isBulk(slices)) await nextBulkTurn();
        const startedAt = performance.now();
        try {
            const embeddings = await callUpstream(inputsOf(slices), contextOf(slices));
            const milliseconds = performance.now() - startedAt;
            concurrency.onSuccess(inFlight);
            sizes.onSuccess(size, milliseconds);
            events.onCall(size.items, slices.length);
            bisection.onBatchEnd(batch, true);
            await reportInTurns(slices, embeddings);
        } catch (error) {
            bisection.onBatchEnd(batch, false);
            onFailure(batch, size, toUpstreamError(error), performance.now() - startedAt);
        } finally {
            inFlight -= 1;
            if (searched) searched.isSearched = false;
            const milliseconds = performance.now() - startedAt;
            meanMilliseconds += (milliseconds - meanMilliseconds) * SMOOTHING;
            flush();
        }
    }

    function onFailure(
        { slices }: Batch,
        size: InputSize,
        error: UpstreamError,
        milliseconds: number,
    ): void {
        if (error.code === "upstream_timeout") sizes.onTimeout(size, milliseconds);
        const [first] = slices;
        const isDivisible = mayBeInputs(error);
        if (isDivisible && size.items > 1) {
            const divided = bisection.divide(slices, size, error);
            if (divided) {
                parts.unshift(...divided);
                return;
            }
        } else if (isDivisible && first) first.call.failedAlone += 1;
        reportEach(slices, () => (isDivisible && size.items > 1 ? error.withUncertainty() : error));
    }

    /** Inputs that wait for a call, including those of failed batches. */
    function waitingSize(): InputSize {
        const queued = queue.queuedSize();
        const failed = measureSlices(parts.flatMap(({ slices }) => slices));
        return { items: queued.items + failed.items, bytes: queued.bytes + failed.bytes };
    }

    /** The batch may continue for other requests with later deadlines. */
    function expire(call: PendingCall): void {
        queue.remove(call);
        reportExpired(call);
    }

    function schedule(): void {
        if (queue.queuedSize().items >= sizes.current().items) flush();
        else if (inFlight > 0) timer ??= setTimeout(flush, JOIN_MILLISECONDS);
        else if (!isScheduled) {
            isScheduled = true;
            // Runs after this turn of the event loop has read its input.
            setImmediate(flush);
        }
    }

    /** Rejects a request that would not be reached before its deadline, or that exceeds its tenant's share of the queue. */
    function findOverload(
        { tenant, deadline }: RequestContext,
        added: InputSize,
    ): UpstreamError | undefined {
        const own = queue.queuedSize(tenant);
        const all = waitingSize();
        const tenants = queue.countTenants() + (own.items > 0 ? 0 : 1);
        // Tenants are served in turn, so at most this many queued inputs come first. The request's own do not count:
        // what is done of them before the deadline is cached, and calls that are sent correct the estimate.
        const ahead = Math.min(all.items, own.items * tenants);
        const rounds = ahead / (sizes.current().items * concurrency.limit());
        const isLate = performance.now() + rounds * meanMilliseconds > deadline;
        if (!isLate && !isShareExhausted(all, own, added, tenants)) return undefined;
        events.onOverload();
        return isLate ? lateError(all.items) : overloadedError();
    }

    return {
        embed: async (inputs, context, report) => {
            const places = [...inputs.keys()];
            const overload = findOverload(context, measureInputs(inputs));
            if (overload) {
                report(
                    places,
                    places.map(() => overload),
                );
                return;
            }
            const byKind = Map.groupBy(places, (place) => inputs[place]?.kind);
            const calls = [...byKind.values()].map((own) => {
                const { call, done } = createPendingCall(inputs, own, context, report, expire);
                queue.add(call);
                return done;
            });
            schedule();
            await Promise.all(calls);
        },
        state: () => ({
            waitingInputs: waitingSize().items,
            waitingRequests: queue.countCalls(),
            callsInFlight: inFlight,
            concurrencyLimit: concurrency.limit(),
            inputsPerCall: sizes.current().items,
            bytesPerCall: sizes.current().bytes,
        }),
    };
}
