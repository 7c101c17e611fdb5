import { setImmediate as nextTurn } from "node:timers/promises";

import { nextBulkTurn } from "../../bulkTurn.ts";
import type { Input } from "../../input.ts";
import type { RequestContext } from "../../requestContext.ts";
import type { Embedding } from "../../vector/embedding.ts";
import {
    deadlineError,
    toUpstreamError,
    type InputOutcome,
    type ReportOutcomes,
} from "../upstream.ts";
import { indexesBetween, splitSlices, withOffsets, type QueuedCall, type Slice } from "./slices.ts";

/** Inputs of one kind of a request that wait for upstream calls, or are in one. */
export interface PendingCall extends RequestContext, QueuedCall {
    /** Indexes of the inputs in the request. */
    readonly places: readonly number[];
    /** Inputs without an outcome yet, by their index here. */
    readonly open: Set<number>;
    /** Known outcomes that will be reported in a later turn, by the index of their input. */
    readonly unreported: Map<number, InputOutcome>;
    /** Inputs that failed in a call of their own. */
    failedAlone: number;
    /** A half of one of its batches is in flight; its outcome decides about the others. */
    isSearched: boolean;
    readonly report: ReportOutcomes;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
    expiry: NodeJS.Timeout | undefined;
}

/** Vectors per turn. */
const REPORTED_PER_TURN = 32;

/**
 * @param places indexes of its inputs
 * @param onExpired called at the deadline of the context, unless all outcomes are known
 * @returns the call, and a promise of its last outcome
 */
export function createPendingCall(
    inputs: readonly Input[],
    places: readonly number[],
    context: RequestContext,
    report: ReportOutcomes,
    onExpired: (call: PendingCall) => void,
): { readonly call: PendingCall; readonly done: Promise<void> } {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const ownInputs = places.flatMap((place) => inputs[place] ?? []);
    const call: PendingCall = {
        ...context,
        group: `${context.dimensions ?? "native"} ${ownInputs[0]?.kind}`,
        inputs: ownInputs,
        places,
        open: new Set(ownInputs.keys()),
        unreported: new Map(),
        failedAlone: 0,
        isSearched: false,
        report,
        resolve: () => resolve(undefined),
        reject,
        expiry: setTimeout(() => onExpired(call), context.deadline - performance.now()).unref(),
    };
    return { call, done: promise };
}

/** A batch has one trace: that of the first of its requests. */
export function contextOf(slices: readonly Slice<PendingCall>[]): RequestContext {
    const [first] = slices;
    if (!first) throw new Error("The batch is empty");
    const { pool, tenant, purpose, dimensions, span } = first.call;
    const deadline = Math.max(...slices.map(({ call }) => call.deadline));
    return { pool, tenant, purpose, dimensions, deadline, span };
}

/** Whether all inputs are of large requests: small ones in the same call do not wait for the bulk work of others. */
export function isBulk(slices: readonly Slice<PendingCall>[]): boolean {
    return slices.every(({ call }) => call.inputs.length > REPORTED_PER_TURN);
}

/** Yields to the event loop: storing 256 vectors in two caches takes about ten milliseconds. */
export async function reportInTurns(
    slices: readonly Slice<PendingCall>[],
    embeddings: readonly Embedding[],
): Promise<void> {
    const parts = splitSlices(slices, { items: REPORTED_PER_TURN, bytes: Infinity });
    if (parts.length > 1) keepUnreported(slices, embeddings);
    const turns = [...parts.entries()].sort(
        ([, one], [, other]) => Number(isBulk(one)) - Number(isBulk(other)),
    );
    for (const [order, [turn, part]] of turns.entries()) {
        if (order > 0) await (isBulk(part) ? nextBulkTurn() : nextTurn());
        // All parts but the last one are full.
        reportEach(part, (at) => embeddings[turn * REPORTED_PER_TURN + at]);
    }
}

/** One of the requests may reach its deadline before its turn. */
function keepUnreported(
    slices: readonly Slice<PendingCall>[],
    embeddings: readonly Embedding[],
): void {
    for (const { call, from, to, offset } of withOffsets(slices)) {
        for (const index of indexesBetween(from, to)) {
            const embedding = embeddings[index + offset];
            if (embedding && call.open.has(index)) call.unreported.set(index, embedding);
        }
    }
}

/** @param outcomeAt returns the outcome of an input, by its index in the batch */
export function reportEach(
    slices: readonly Slice<PendingCall>[],
    outcomeAt: (at: number) => InputOutcome | undefined,
): void {
    for (const { call, from, to, offset } of withOffsets(slices)) {
        const open = indexesBetween(from, to).filter((index) => call.open.has(index));
        report(call, open, (index) => outcomeAt(index + offset));
    }
}

/** Reports the known outcomes, because they are billed, and a timeout for the other inputs. */
export function reportExpired(call: PendingCall): void {
    report(call, [...call.open], (index) => call.unreported.get(index) ?? deadlineError());
}

function report(
    { places, open, report, resolve, reject, expiry }: PendingCall,
    indexes: readonly number[],
    outcomeAt: (index: number) => InputOutcome | undefined,
): void {
    if (indexes.length === 0) return;
    for (const index of indexes) open.delete(index);
    try {
        report(
            indexes.map((index) => places[index] ?? NaN),
            indexes.map(
                (index) => outcomeAt(index) ?? toUpstreamError("The response is incomplete"),
            ),
        );
    } catch (error) {
        reject(error);
    }
    if (open.size > 0) return;
    clearTimeout(expiry);
    resolve();
}
