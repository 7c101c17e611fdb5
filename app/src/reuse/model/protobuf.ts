/** The wire format of Protocol Buffers, as far as ONNX files use it: https://protobuf.dev/programming-guides/encoding */

export interface Field {
    readonly number: number;
    /** Of a field with a length; otherwise empty. */
    readonly content: Uint8Array;
    /** Of an integer; otherwise 0. */
    readonly integer: number;
    /** The field as it was read, with its tag. */
    readonly encoded: Uint8Array;
}

const [INTEGER, EIGHT_BYTES, WITH_LENGTH, FOUR_BYTES] = [0, 1, 2, 5];
const WIRE_TYPES = 8;
const NOTHING = new Uint8Array();

/** @throws Error if these bytes are not a message */
export function readFields(message: Uint8Array): readonly Field[] {
    const fields: Field[] = [];
    for (let at = 0; at < message.length;) {
        const from = at;
        const tag = readInteger(message, at);
        at = tag.end;
        const wireType = tag.value % WIRE_TYPES;
        let content: Uint8Array = NOTHING;
        let integer = 0;
        if (wireType === INTEGER) ({ value: integer, end: at } = readInteger(message, at));
        else if (wireType === WITH_LENGTH) {
            const { value: length, end } = readInteger(message, at);
            at = end;
            content = message.subarray(at, at + length);
            at += length;
        } else if (wireType === EIGHT_BYTES) at += 8;
        else if (wireType === FOUR_BYTES) at += 4;
        else throw new Error(`A field of Protocol Buffers has the unknown type ${wireType}`);
        if (at > message.length) throw new Error("A message of Protocol Buffers is incomplete");
        const number = Math.floor(tag.value / WIRE_TYPES);
        fields.push({ number, content, integer, encoded: message.subarray(from, at) });
    }
    return fields;
}

/** @returns the integers of a field that contains all values of a list */
export function readPackedIntegers(content: Uint8Array): readonly number[] {
    const integers: number[] = [];
    for (let at = 0; at < content.length;) {
        const { value, end } = readInteger(content, at);
        integers.push(value);
        at = end;
    }
    return integers;
}

function readInteger(bytes: Uint8Array, from: number): { value: number; end: number } {
    let value = 0;
    for (let at = from, factor = 1; ; at += 1, factor *= 128) {
        const byte = bytes[at];
        if (byte === undefined) throw new Error("A message of Protocol Buffers is incomplete");
        value += (byte & 0x7f) * factor;
        if (byte < 0x80) return { value, end: at + 1 };
    }
}

/** @returns the parts of a field with a length, which are joined by `join` */
export function encodeContent(
    number: number,
    content: string | readonly Uint8Array[],
): readonly Uint8Array[] {
    const parts = typeof content === "string" ? [Buffer.from(content)] : content;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return [encodeIntegers(number * WIRE_TYPES + WITH_LENGTH, length), ...parts];
}

/** @param value a negative one takes ten bytes */
export function encodeInteger(number: number, value: number): Uint8Array {
    return encodeIntegers(number * WIRE_TYPES + INTEGER, value);
}

function encodeIntegers(...values: readonly number[]): Uint8Array {
    const bytes: number[] = [];
    for (const value of values) {
        let rest = BigInt.asUintN(64, BigInt(value));
        for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
        bytes.push(Number(rest));
    }
    return Uint8Array.from(bytes);
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
        joined.set(part, at);
        at += part.length;
    }
    return joined;
}
