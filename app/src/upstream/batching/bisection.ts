import type { InputSize } from "../inputSize.ts";
import { CallTooLargeError, type UpstreamError } from "../upstream.ts";
import type { CallSizes } from "./callSize.ts";
import type { PendingCall } from "./pendingCall.ts";
import { measureSlices, splitSlices, type Slice } from "./slices.ts";

/** Inputs of one upstream call, which succeeds or fails as a whole. */
export interface Batch {
    readonly slices: readonly Slice<PendingCall>[];
    /** Set for a part of a rejected batch. */
    readonly split?: Split | undefined;
    /** Set for a part of a failed batch that is bisected to find the inputs at fault. */
    readonly searched?: PendingCall | undefined;
}

/** A rejected batch in parts. If all of them succeed, the batch was rejected because of its size. */
type Split = { open: number; allSucceeded: boolean } & (
    | { readonly limit: Partial<InputSize> }
    | { readonly limit: undefined; readonly largerHalf: InputSize }
);

export interface Bisection {
    /** @returns undefined if the search for the inputs at fault is abandoned */
    readonly divide: (
        slices: readonly Slice<PendingCall>[],
        size: InputSize,
        error: UpstreamError,
    ) => readonly Batch[] | undefined;
    /** Learns from the outcome of a part of a rejected batch. */
    readonly onBatchEnd: (batch: Batch, succeeded: boolean) => void;
}

/** A request with more failed inputs is not bisected further. */
const MAX_FAILED_ALONE = 4;
/** Errors that the inputs of a batch, or their number, may have caused. */
const DIVISIBLE = ["upstream_error", "upstream_timeout", "bad_upstream_response"];
/** Errors that no input can have caused. */
const INDIVISIBLE = ["unsupported_dimensions"];

/** Whether the inputs of a failed batch may be the cause. */
export function mayBeInputs(error: UpstreamError): boolean {
    return (
        DIVISIBLE.includes(error.code) ||
        (error.status === 400 && !INDIVISIBLE.includes(error.code))
    );
}

/** @param mayRepeat whether a failed batch may be split and retried, by the tenant of its first request */
export function createBisection(
    sizes: CallSizes,
    mayRepeat: (tenant: string) => boolean,
): Bisection {
    function divide(
        slices: readonly Slice<PendingCall>[],
        size: InputSize,
        error: UpstreamError,
    ): readonly Batch[] | undefined {
        if (error instanceof CallTooLargeError) return divideBySize(slices, size, error);
        const [first, second] = slices;
        if (!first) return undefined;
        if (error.status !== 400 && !mayRepeat(first.call.tenant)) return divideByTenant(slices);
        if (second) {
            // Bisects by requests first, so that an invalid input affects its own request only.
            const middle = Math.ceil(slices.length / 2);
            return [{ slices: slices.slice(0, middle) }, { slices: slices.slice(middle) }];
        }
        const { call, from, to } = first;
        if (call.failedAlone >= MAX_FAILED_ALONE) return undefined;
        const middle = from + Math.ceil((to - from) / 2);
        const halves = [[{ call, from, to: middle }], [{ call, from: middle, to }]];
        // Only rejections are bisected one by one; the breaker bounds other failures.
        if (error.status !== 400) return halves.map((half) => ({ slices: half }));
        const largerHalf = measureSlices([{ call, from, to: middle }]);
        const split = { limit: undefined, largerHalf, open: 2, allSucceeded: true };
        return halves.map((half) => ({ slices: half, split, searched: call }));
    }

    function onBatchEnd({ split }: Batch, succeeded: boolean): void {
        if (!split) return;
        split.open -= 1;
        split.allSucceeded &&= succeeded;
        if (split.open > 0 || !split.allSucceeded) return;
        if (split.limit) sizes.learnLimit(split.limit);
        else sizes.onHalvesSucceeded(split.largerHalf);
    }

    return { divide, onBatchEnd };
}

/**
 * One more call for each tenant, whatever the retry budget: inputs of one tenant must not fail the requests of others.
 *
 * @returns undefined if all inputs are of one tenant
 */
function divideByTenant(slices: readonly Slice<PendingCall>[]): readonly Batch[] | undefined {
    const parts = Map.groupBy(slices, ({ call }) => call.tenant);
    return parts.size < 2 ? undefined : Array.from(parts.values(), (own) => ({ slices: own }));
}

/**
 * Only successful parts prove that the size was the cause; the message may quote a text, or concern a long
 * text.
 */
function divideBySize(
    slices: readonly Slice<PendingCall>[],
    size: InputSize,
    error: CallTooLargeError,
): readonly Batch[] {
    const smaller = reduceSize(size, error);
    const parts = splitSlices(slices, smaller);
    const limit = error.unit === "inputs" ? { items: smaller.items } : { bytes: smaller.bytes };
    const split = { limit, open: parts.length, allSucceeded: true };
    return parts.map((part) => ({ slices: part, split }));
}

function reduceSize(
    { items, bytes }: InputSize,
    { unit, allowedInputs }: CallTooLargeError,
): InputSize {
    if (unit === "bytes") return { items, bytes: Math.floor(bytes / 2) };
    const isBelow = allowedInputs !== undefined && allowedInputs < items;
    return { items: isBelow ? allowedInputs : Math.floor(items / 2), bytes };
}
