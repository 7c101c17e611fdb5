import { setImmediate as nextTurn } from "node:timers/promises";

import { detach } from "../../detach.ts";
import type { Input } from "../../input.ts";
import type { Scope } from "../../requestContext.ts";
import type { Embedding } from "../../vector/embedding.ts";
import type { CallSizes } from "./callSize.ts";
import type { Concurrency } from "./concurrency.ts";
import { askQueue, loadOf, sizeOf, type Load, type QueuedAsk, type Slice } from "./fairQueue.ts";
import {
    asUpstreamError,
    CallTooLargeError,
    outOfTime,
    UpstreamError,
    type InputOutcome,
    type ReportOutcomes,
    type Upstream,
    type UpstreamEvents,
} from "../upstream.ts";
import { isShareUsedUp, overloadedError } from "../queueLimit.ts";

/** One call of the provider, which succeeds or fails as a whole. */
export type CallUpstream = (
    inputs: readonly Input[],
    scope: Scope,
) => Promise<readonly Embedding[]>;

export interface BatchedOptions {
    readonly concurrency: Concurrency;
    readonly sizes: CallSizes;
    readonly events: UpstreamEvents;
    /**
     * Whether a failed call may be split and retried. Such retries must not multiply an outage. Default:
     * always.
     */
    readonly mayRepeat?: () => boolean;
}

/** Inputs of one kind of a request. */
interface Ask extends Scope, QueuedAsk {
    /** Indexes of the inputs in the request. */
    readonly places: readonly number[];
    /** Inputs without an outcome yet, by their index here. */
    readonly open: Set<number>;
    /** Known outcomes that will be reported in a later turn, by the index of their input. */
    readonly untold: Map<number, InputOutcome>;
    /** Inputs that failed in a call of their own. */
    failedAlone: number;
    /** A half of one of its calls is in flight; its outcome decides about the others. */
    isSearched: boolean;
    readonly report: ReportOutcomes;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
    expiry: NodeJS.Timeout | undefined;
}

interface Call {
    readonly slices: readonly Slice<Ask>[];
    /** Set for a part of a rejected call. */
    readonly portions?: Portions | undefined;
    /** Set for a part of a failed call that is bisected to find the inputs at fault. */
    readonly searched?: Ask | undefined;
}

/** If all parts of a rejected call succeed, the call was rejected because of its size. */
type Portions = { open: number; allAnswered: boolean } & (
    { readonly told: Partial<Load> } | { readonly told: undefined; readonly larger: Load }
);

/** While other calls are in flight, a call waits this long for more inputs. */
const JOIN_MILLISECONDS = 3;
/** Weight of a new value in the moving average of call durations. */
const SMOOTHING = 0.1;
/** A request with more failed inputs is not bisected further. */
const MOST_FAILED_ALONE = 4;
/** Vectors per turn. */
const TOLD_IN_TURN = 32;
/** Errors that the inputs of a call, or their number, may have caused. */
const DIVISIBLE = ["upstream_error", "upstream_timeout", "bad_upstream_response"];
/** Errors that no input can have caused. */
const INDIVISIBLE = ["unsupported_dimensions"];

/**
 * Batches the inputs of concurrent requests into calls, splits what exceeds a call, and limits the calls in
 * flight. A failed call is bisected until the inputs at fault are isolated. A request is sent immediately
 * while no call is in flight.
 */
export function batched(
    callUpstream: CallUpstream,
    { concurrency, sizes, events, mayRepeat = () => true }: BatchedOptions,
): Pick<Upstream, "embed" | "state"> {
    const queue = askQueue<Ask>();
    /** Parts of failed calls; they have priority over new inputs. */
    const pieces: Call[] = [];
    let inFlight = 0;
    let timer: NodeJS.Timeout | undefined;
    let soon = false;
    let meanMilliseconds = 0;

    function flush(): void {
        clearTimeout(timer);
        timer = undefined;
        soon = false;
        while (inFlight < concurrency.limit()) {
            const call = nextCall();
            if (!call) break;
            detach(send(call));
        }
        events.waiting(waitingInputs(), inFlight, concurrency.limit());
    }

    function nextCall(): Call | undefined {
        for (;;) {
            const next = pieces.findIndex(({ searched }) => !searched?.isSearched);
            const [piece] = next < 0 ? [] : pieces.splice(next, 1);
            const slices = piece?.slices ?? queue.take(sizes.current());
            if (slices.length === 0) return undefined;
            const wanted = slices.filter(({ ask }) => ask.open.size > 0);
            const [first, ...others] = cut(wanted, sizes.current());
            if (!first) continue;
            if (others.length === 0) return { ...piece, slices: first };
            pieces.unshift(...others.map((more) => ({ slices: more })));
            return { slices: first };
        }
    }

    async function send(call: Call): Promise<void> {
        inFlight += 1;
        const { searched } = call;
        if (searched) searched.isSearched = true;
        const begun = performance.now();
        const size = totalOf(call.slices);
        try {
            const embeddings = await callUpstream(inputsOf(call.slices), scopeOf(call.slices));
            const milliseconds = performance.now() - begun;
            concurrency.succeeded(inFlight);
            sizes.onAnswered(size, milliseconds);
            events.called(size.items, call.slices.length);
            learn(call, true);
            await tellInTurns(call.slices, embeddings);
        } catch (error) {
            learn(call, false);
            onFailed(call, size, asUpstreamError(error), performance.now() - begun);
        } finally {
            inFlight -= 1;
            if (searched) searched.isSearched = false;
            const took = performance.now() - begun;
            meanMilliseconds += (took - meanMilliseconds) * SMOOTHING;
            flush();
        }
    }

    function onFailed(
        { slices }: Call,
        size: Load,
        error: UpstreamError,
        milliseconds: number,
    ): void {
        if (error.code === "upstream_timeout") sizes.onTimeout(size, milliseconds);
        const [first] = slices;
        const isDivisible =
            DIVISIBLE.includes(error.code) ||
            (error.status === 400 && !INDIVISIBLE.includes(error.code));
        if (isDivisible && size.items > 1) {
            const parts = divide(slices, size, error);
            if (parts) {
                pieces.unshift(...parts);
                return;
            }
        } else if (isDivisible && first) first.ask.failedAlone += 1;
        tellEach(slices, () => (isDivisible && size.items > 1 ? error.shared() : error));
    }

    /** @returns undefined if the search for the inputs at fault is abandoned */
    function divide(
        slices: readonly Slice<Ask>[],
        size: Load,
        error: UpstreamError,
    ): readonly Call[] | undefined {
        if (error instanceof CallTooLargeError) {
            const smaller = smallerSize(size, error);
            const parts = cut(slices, smaller);
            // Only successful parts prove that the size was the cause; the message may quote a text, or
            // concern a long text.
            const told =
                error.unit === "inputs" ? { items: smaller.items } : { bytes: smaller.bytes };
            const portions = { told, open: parts.length, allAnswered: true };
            return parts.map((part) => ({ slices: part, portions }));
        }
        const [first, second] = slices;
        if (!first || (error.status !== 400 && !mayRepeat())) return undefined;
        if (second) {
            // Bisects by requests first, so that an invalid input affects its own request only.
            const middle = Math.ceil(slices.length / 2);
            return [slices.slice(0, middle), slices.slice(middle)].map((part) => ({
                slices: part,
            }));
        }
        const { ask, from, to } = first;
        if (ask.failedAlone >= MOST_FAILED_ALONE) return undefined;
        const middle = from + Math.ceil((to - from) / 2);
        const parts = [[{ ask, from, to: middle }], [{ ask, from: middle, to }]];
        const larger = totalOf([{ ask, from, to: middle }]);
        // Only rejections are bisected one by one; the breaker bounds other failures.
        if (error.status !== 400) return parts.map((part) => ({ slices: part }));
        const portions = { told: undefined, larger, open: 2, allAnswered: true };
        return parts.map((part) => ({ slices: part, portions, searched: ask }));
    }

    function learn({ portions }: Call, wasAnswered: boolean): void {
        if (!portions) return;
        portions.open -= 1;
        portions.allAnswered &&= wasAnswered;
        if (portions.open > 0 || !portions.allAnswered) return;
        if (portions.told) sizes.learnLimit(portions.told);
        else sizes.onHalvesAnswered(portions.larger);
    }

    function waitingInputs(): number {
        return (
            queue.load().items + pieces.reduce((sum, { slices }) => sum + totalOf(slices).items, 0)
        );
    }

    function ask(
        inputs: readonly Input[],
        places: readonly number[],
        scope: Scope,
        report: ReportOutcomes,
    ): Promise<void> {
        return new Promise((resolve, reject) => {
            const own = places.flatMap((place) => inputs[place] ?? []);
            const one: Ask = {
                ...scope,
                group: `${scope.dimensions ?? "native"} ${own[0]?.kind}`,
                inputs: own,
                places,
                open: new Set(own.keys()),
                untold: new Map(),
                failedAlone: 0,
                isSearched: false,
                report,
                resolve,
                reject,
                expiry: setTimeout(() => expire(one), scope.deadline - performance.now()).unref(),
            };
            queue.add(one);
        });
    }

    /**
     * The call may continue for other requests with later deadlines. Known outcomes are reported, because
     * they are billed.
     */
    function expire(one: Ask): void {
        queue.remove(one);
        tell(one, [...one.open], (index) => one.untold.get(index) ?? outOfTime());
    }

    function schedule(): void {
        if (queue.load().items >= sizes.current().items) flush();
        else if (inFlight > 0) timer ??= setTimeout(flush, JOIN_MILLISECONDS);
        else if (!soon) {
            soon = true;
            // Runs after this turn of the event loop has read its input.
            setImmediate(flush);
        }
    }

    /** Rejects a request that would exceed its deadline in the queue, or its tenant's share of the queue. */
    function overload({ tenant, deadline }: Scope, more: Load): UpstreamError | undefined {
        const own = queue.load(tenant);
        const searched = totalOf(pieces.flatMap(({ slices }) => slices));
        const waiting = queue.load();
        const all = {
            items: waiting.items + searched.items,
            bytes: waiting.bytes + searched.bytes,
        };
        const tenants = queue.tenants() + (own.items > 0 ? 0 : 1);
        // Tenants are served in turn, so at most this many queued inputs come first.
        const ahead = Math.min(all.items + more.items, (own.items + more.items) * tenants);
        const rounds = ahead / (sizes.current().items * concurrency.limit());
        const isLate = performance.now() + rounds * meanMilliseconds > deadline;
        if (!isLate && !isShareUsedUp(all, own, more, tenants)) return undefined;
        events.overloaded();
        return overloadedError();
    }

    return {
        embed: async (inputs, scope, report) => {
            const places = [...inputs.keys()];
            const bytes = inputs.reduce((sum, input) => sum + sizeOf(input), 0);
            const refusal = overload(scope, { items: inputs.length, bytes });
            if (refusal) {
                report(
                    places,
                    places.map(() => refusal),
                );
                return;
            }
            const kinds = Map.groupBy(places, (place) => inputs[place]?.kind);
            const asks = [...kinds.values()].map((own) => ask(inputs, own, scope, report));
            schedule();
            await Promise.all(asks);
        },
        state: () => ({
            waitingInputs: waitingInputs(),
            waitingRequests: queue.asks(),
            callsInFlight: inFlight,
            concurrencyLimit: concurrency.limit(),
            inputsPerCall: sizes.current().items,
            bytesPerCall: sizes.current().bytes,
        }),
    };
}

/** Yields to the event loop: storing 256 vectors in two caches takes about ten milliseconds. */
async function tellInTurns(
    slices: readonly Slice<Ask>[],
    embeddings: readonly Embedding[],
): Promise<void> {
    const parts = cut(slices, { items: TOLD_IN_TURN, bytes: Infinity });
    if (parts.length > 1) keepUntold(slices, embeddings);
    for (const [turn, part] of parts.entries()) {
        if (turn > 0) await nextTurn();
        // All parts but the last one are full.
        tellEach(part, (at) => embeddings[turn * TOLD_IN_TURN + at]);
    }
}

/** One of the requests may reach its deadline before its turn. */
function keepUntold(slices: readonly Slice<Ask>[], embeddings: readonly Embedding[]): void {
    for (const { ask, from, to, offset } of withOffsets(slices)) {
        for (const index of indexes(from, to)) {
            const embedding = embeddings[index + offset];
            if (embedding && ask.open.has(index)) ask.untold.set(index, embedding);
        }
    }
}

/** @param outcomeAt returns the outcome of an input, by its index in the call */
function tellEach(
    slices: readonly Slice<Ask>[],
    outcomeAt: (at: number) => InputOutcome | undefined,
): void {
    for (const { ask, from, to, offset } of withOffsets(slices)) {
        const open = indexes(from, to).filter((index) => ask.open.has(index));
        tell(ask, open, (index) => outcomeAt(index + offset));
    }
}

/** `offset` is what makes an index within a request one within the call. */
function* withOffsets(slices: readonly Slice<Ask>[]): Iterable<Slice<Ask> & { offset: number }> {
    let start = 0;
    for (const slice of slices) {
        yield { ...slice, offset: start - slice.from };
        start += slice.to - slice.from;
    }
}

function tell(
    { places, open, report, resolve, reject, expiry }: Ask,
    told: readonly number[],
    outcomeAt: (index: number) => InputOutcome | undefined,
): void {
    if (told.length === 0) return;
    for (const index of told) open.delete(index);
    try {
        report(
            told.map((index) => places[index] ?? NaN),
            told.map((index) => outcomeAt(index) ?? asUpstreamError("The response is incomplete")),
        );
    } catch (error) {
        reject(error);
    }
    if (open.size > 0) return;
    clearTimeout(expiry);
    resolve();
}

function inputsOf(slices: readonly Slice<Ask>[]): readonly Input[] {
    return slices.flatMap(({ ask, from, to }) => ask.inputs.slice(from, to));
}

/** A call has one trace: that of the first of its requests. */
function scopeOf(slices: readonly Slice<Ask>[]): Scope {
    const [first] = slices;
    if (!first) throw new Error("A call has inputs");
    const { pool, tenant, purpose, dimensions, span } = first.ask;
    const deadline = Math.max(...slices.map(({ ask }) => ask.deadline));
    return { pool, tenant, purpose, dimensions, deadline, span };
}

function totalOf(slices: readonly Slice<Ask>[]): Load {
    let [items, bytes] = [0, 0];
    for (const slice of slices) {
        const load = loadOf(slice);
        items += load.items;
        bytes += load.bytes;
    }
    return { items, bytes };
}

function smallerSize({ items, bytes }: Load, { unit, allowedInputs }: CallTooLargeError): Load {
    if (unit === "bytes") return { items, bytes: Math.floor(bytes / 2) };
    const isBelow = allowedInputs !== undefined && allowedInputs < items;
    return { items: isBelow ? allowedInputs : Math.floor(items / 2), bytes };
}

/** Splits slices into calls within these limits, with at least one input each. */
function cut(slices: readonly Slice<Ask>[], size: Load): readonly (readonly Slice<Ask>[])[] {
    const calls: Slice<Ask>[][] = [];
    let room: Load = { items: 0, bytes: 0 };
    for (const { ask, from, to } of slices) {
        for (let at = from; at < to; at += 1) {
            const bytes = sizeOf(ask.inputs[at]);
            const call = calls.at(-1);
            const last = call?.at(-1);
            const fits = call !== undefined && room.items >= 1 && room.bytes >= bytes;
            if (fits && last?.ask === ask && last.to === at) {
                call.splice(-1, 1, { ...last, to: at + 1 });
            } else if (fits) call.push({ ask, from: at, to: at + 1 });
            else {
                calls.push([{ ask, from: at, to: at + 1 }]);
                room = size;
            }
            room = { items: room.items - 1, bytes: room.bytes - bytes };
        }
    }
    return calls;
}

function indexes(from: number, to: number): readonly number[] {
    return Array.from({ length: to - from }, (_, at) => from + at);
}
