import type { Input } from "../../input.ts";
import { inputBytes, type InputSize } from "../inputSize.ts";

/** The inputs of a request that wait for an upstream call. */
export interface QueuedCall {
    readonly tenant: string;
    /** Only calls of the same group are batched: same dimensions, and either texts or token IDs. */
    readonly group: string;
    readonly inputs: readonly Input[];
}

/** A range of the inputs of a queued call. */
export interface Slice<Call extends QueuedCall> {
    readonly call: Call;
    readonly from: number;
    readonly to: number;
}

export function measureSlice<Call extends QueuedCall>({ call, from, to }: Slice<Call>): InputSize {
    let bytes = 0;
    for (let at = from; at < to; at += 1) bytes += inputBytes(call.inputs[at]);
    return { items: to - from, bytes };
}

export function measureSlices<Call extends QueuedCall>(slices: readonly Slice<Call>[]): InputSize {
    let [items, bytes] = [0, 0];
    for (const slice of slices) {
        const size = measureSlice(slice);
        items += size.items;
        bytes += size.bytes;
    }
    return { items, bytes };
}

export function inputsOf<Call extends QueuedCall>(
    slices: readonly Slice<Call>[],
): readonly Input[] {
    return slices.flatMap(({ call, from, to }) => call.inputs.slice(from, to));
}

/** Splits slices into batches within these limits, with at least one input each. */
export function splitSlices<Call extends QueuedCall>(
    slices: readonly Slice<Call>[],
    size: InputSize,
): readonly (readonly Slice<Call>[])[] {
    const batches: Slice<Call>[][] = [];
    let batch: Slice<Call>[] | undefined;
    let [items, bytes] = [0, 0];
    for (const { call, from, to } of slices) {
        let start = from;
        for (let at = from; at < to; at += 1) {
            const added = inputBytes(call.inputs[at]);
            if (batch === undefined || items < 1 || bytes < added) {
                if (start < at) batch?.push({ call, from: start, to: at });
                batch = [];
                batches.push(batch);
                start = at;
                ({ items, bytes } = size);
            }
            items -= 1;
            bytes -= added;
        }
        if (start < to) batch?.push({ call, from: start, to });
    }
    return batches;
}

/** Adding `offset` to an index within a call yields the index within the batch. */
export function* withOffsets<Call extends QueuedCall>(
    slices: readonly Slice<Call>[],
): Iterable<Slice<Call> & { readonly offset: number }> {
    let start = 0;
    for (const slice of slices) {
        yield { ...slice, offset: start - slice.from };
        start += slice.to - slice.from;
    }
}

export function indexesBetween(from: number, to: number): readonly number[] {
    return Array.from({ length: to - from }, (_, at) => from + at);
}
