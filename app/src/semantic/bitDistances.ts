import {
    ADD,
    compile,
    CONSTANT,
    COUNT_BITS_64,
    createMemory,
    END,
    GET,
    I32,
    IS_BELOW,
    LOAD_64,
    LOOP,
    REPEAT_IF,
    SET,
    STORE,
    TEE,
    TO_32,
    XOR_64,
} from "./webAssembly.ts";

/** Numbers of differing bits. */
export interface BitDistances {
    /** The memory of `measure`. It is replaced when it grows. */
    readonly words: () => Int32Array;
    /** Grows to at least this number of words. */
    readonly reserve: (words: number) => void;
    /**
     * Compares a query with records that follow each other: bits, and DISTANCE_WORDS for the number of bits that differ.
     * Addresses and lengths are in bytes.
     *
     * @param bits length of the query's and each record's bits, a multiple of 8
     * @param end of the last record, after `records`
     */
    readonly measure: (query: number, records: number, bits: number, end: number) => void;
}

/** Keeps the bits of each record at a multiple of 8 bytes. */
export const DISTANCE_WORDS = 2;

const DISTANCE_BYTES = DISTANCE_WORDS * Int32Array.BYTES_PER_ELEMENT;

/** Local variables; the first four are the parameters. */
const [QUERY, RECORD, BITS, RECORDS_END, AT, DISTANCE] = [0, 1, 2, 3, 4, 5];

const MEASURE = compile({
    parameters: 4,
    results: [],
    locals: [I32, I32],
    body: [
        ...LOOP,
        ...[CONSTANT, 0, SET, DISTANCE, CONSTANT, 0, SET, AT],
        ...LOOP,
        ...[GET, DISTANCE],
        ...[GET, RECORD, GET, AT, ADD, ...LOAD_64],
        ...[GET, QUERY, GET, AT, ADD, ...LOAD_64],
        ...[XOR_64, COUNT_BITS_64, TO_32, ADD, SET, DISTANCE],
        ...[GET, AT, CONSTANT, 8, ADD, TEE, AT, GET, BITS, IS_BELOW, ...REPEAT_IF],
        END,
        ...[GET, RECORD, GET, BITS, ADD, TEE, RECORD, GET, DISTANCE, ...STORE],
        ...[GET, RECORD, CONSTANT, DISTANCE_BYTES, ADD, TEE, RECORD],
        ...[GET, RECORDS_END, IS_BELOW, ...REPEAT_IF],
        END,
        END,
    ],
});

export function createBitDistances(): BitDistances {
    const memory = createMemory();
    let words = new Int32Array(memory.buffer());
    return {
        words: () => words,
        reserve: (needed) => {
            if (memory.reserve(needed * words.BYTES_PER_ELEMENT))
                words = new Int32Array(memory.buffer());
        },
        measure: memory.bind(MEASURE),
    };
}
