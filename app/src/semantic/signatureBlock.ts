import {
    ADD,
    ADD_FLOAT,
    ADD_FLOATS,
    compile,
    CONSTANT,
    createMemory,
    END,
    F32,
    floatOf,
    GET,
    I32,
    IS_BELOW,
    LOAD_FLOATS,
    LOOP,
    MULTIPLY_FLOATS,
    REPEAT_IF,
    SET,
    TEE,
    V128,
} from "./webAssembly.ts";

/** Signatures by place, in one block of memory that grows, compared four numbers at once. */
export interface SignatureBlock {
    readonly set: (place: number, signature: Float32Array) => void;
    readonly move: (from: number, to: number) => void;
    /** @returns a copy */
    readonly get: (place: number) => Float32Array<ArrayBuffer>;
    /** Chooses the signature that `similarity` compares with. */
    readonly setQuery: (signature: Float32Array) => void;
    /** @returns the inner product with the query, of the precision of 32-bit floats */
    readonly similarity: (place: number) => number;
}

const FLOATS_AT_ONCE = 4;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
const GROWTH = 1.5;

/** Local variables; the first three are the parameters: two addresses, and a length in bytes, a multiple of 16. */
const [A, B, LENGTH, AT, SUMS] = [0, 1, 2, 3, 4];

const DOT = compile({
    parameters: 3,
    results: [F32],
    locals: [I32, V128],
    body: [
        ...LOOP,
        ...[GET, SUMS],
        ...[GET, A, GET, AT, ADD, ...LOAD_FLOATS],
        ...[GET, B, GET, AT, ADD, ...LOAD_FLOATS],
        ...[...MULTIPLY_FLOATS, ...ADD_FLOATS, SET, SUMS],
        ...[GET, AT, CONSTANT, 16, ADD, TEE, AT, GET, LENGTH, IS_BELOW, ...REPEAT_IF],
        END,
        ...[GET, SUMS, ...floatOf(0), GET, SUMS, ...floatOf(1), ADD_FLOAT],
        ...[GET, SUMS, ...floatOf(2), GET, SUMS, ...floatOf(3), ADD_FLOAT],
        ADD_FLOAT,
        END,
    ],
});

/** @param dimensions of a signature */
export function createSignatureBlock(dimensions: number): SignatureBlock {
    const width = Math.ceil(dimensions / FLOATS_AT_ONCE) * FLOATS_AT_ONCE;
    const rowBytes = width * FLOAT_BYTES;
    const memory = createMemory();
    const dot = memory.bind(DOT);
    memory.reserve(rowBytes);
    let numbers = new Float32Array(memory.buffer());

    /** The query is the first row. */
    function rowOf(place: number): number {
        return (place + 1) * width;
    }

    return {
        set: (place, signature) => {
            const needed = rowOf(place + 1) * FLOAT_BYTES;
            if (needed > numbers.byteLength) {
                memory.reserve(Math.ceil(needed * GROWTH));
                numbers = new Float32Array(memory.buffer());
            }
            numbers.set(signature, rowOf(place));
        },
        move: (from, to) => {
            numbers.copyWithin(rowOf(to), rowOf(from), rowOf(from) + dimensions);
        },
        get: (place) => numbers.slice(rowOf(place), rowOf(place) + dimensions),
        setQuery: (signature) => numbers.set(signature),
        similarity: (place) => dot(0, rowOf(place) * FLOAT_BYTES, rowBytes),
    };
}
