/** Small functions in WebAssembly, which has instructions of the processor that JavaScript does not have. */

/** Parameters are 32-bit integers. Types and instructions: https://webassembly.github.io/spec/core/binary */
export interface Kernel {
    readonly parameters: number;
    readonly results: readonly number[];
    /** Types of the local variables that follow the parameters. */
    readonly locals: readonly number[];
    readonly body: readonly number[];
}

/** Memory that grows; views of its buffer end when it does. */
export interface KernelMemory {
    readonly buffer: () => ArrayBuffer;
    /** Grows to at least this number of bytes. @returns whether the buffer was replaced */
    readonly reserve: (bytes: number) => boolean;
    /** @returns a function that reads and writes this memory */
    readonly bind: (compiled: CompiledKernel) => RunKernel;
}

/** Without a result, the number has no meaning. */
export type RunKernel = (...parameters: readonly number[]) => number;

export type CompiledKernel = object & { readonly isCompiled?: never };

/** The part of the standard that is used here; the compiler's library has it only together with a browser's. */
declare const WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => CompiledKernel;
    readonly Instance: new (
        module: CompiledKernel,
        imports: object,
    ) => { readonly exports: { readonly kernel: RunKernel } };
    readonly Memory: new (size: { readonly initial: number }) => {
        readonly buffer: ArrayBuffer;
        readonly grow: (pages: number) => number;
    };
};

const PAGE_BYTES = 65_536;

export const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
const [FUNCTION, NO_RESULT] = [0x60, 0x40];
const SECTIONS = { types: 1, imports: 2, functions: 3, exports: 7, code: 10 } as const;
const [FUNCTION_KIND, MEMORY_KIND] = [0, 2];

export const LOOP = [0x03, NO_RESULT];
export const END = 0x0b;
/** To the start of the innermost loop, if the value is not 0. */
export const REPEAT_IF = [0x0d, 0];
export const [GET, SET, TEE] = [0x20, 0x21, 0x22];
/** Of 32-bit integers; constants are below 64. */
export const [CONSTANT, ADD, IS_BELOW] = [0x41, 0x6a, 0x49];
export const STORE = [0x36, 2, 0];
export const LOAD_64 = [0x29, 3, 0];
export const [XOR_64, COUNT_BITS_64, TO_32] = [0x85, 0x7b, 0xa7];
export const ADD_FLOAT = 0x92;
/** Of four 32-bit floats at once. */
export const LOAD_FLOATS = [0xfd, 0x00, 4, 0];
export const MULTIPLY_FLOATS = [0xfd, 0xe6, 0x01];
export const ADD_FLOATS = [0xfd, 0xe4, 0x01];
export const floatOf = (lane: number): readonly number[] => [0xfd, 0x1f, lane];

export function compile({ parameters, results, locals, body }: Kernel): CompiledKernel {
    const type = [
        FUNCTION,
        ...withLength(Array.from({ length: parameters }, () => I32)),
        ...withLength(results),
    ];
    const declared = [locals.length, ...locals.flatMap((local) => [1, local])];
    return new WebAssembly.Module(
        Uint8Array.from([
            ...[0x00, ...toBytes("asm"), 1, 0, 0, 0],
            ...section(SECTIONS.types, type),
            ...section(SECTIONS.imports, [...name("js"), ...name("memory"), MEMORY_KIND, 0, 1]),
            ...section(SECTIONS.functions, [0]),
            ...section(SECTIONS.exports, [...name("kernel"), FUNCTION_KIND, 0]),
            ...section(SECTIONS.code, withLength([...declared, ...body])),
        ]),
    );
}

export function createMemory(): KernelMemory {
    const memory = new WebAssembly.Memory({ initial: 1 });
    return {
        buffer: () => memory.buffer,
        reserve: (bytes) => {
            const missing = bytes - memory.buffer.byteLength;
            if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
            return missing > 0;
        },
        bind: (compiled) => new WebAssembly.Instance(compiled, { js: { memory } }).exports.kernel,
    };
}

/** A section with one entry. */
function section(id: number, entry: readonly number[]): readonly number[] {
    return [id, ...withLength([1, ...entry])];
}

/** @param bytes fewer than 128 */
function withLength(bytes: readonly number[]): readonly number[] {
    return [bytes.length, ...bytes];
}

function name(text: string): readonly number[] {
    return withLength(toBytes(text));
}

function toBytes(text: string): readonly number[] {
    return [...Buffer.from(text)];
}
