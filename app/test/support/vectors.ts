import { createHash } from "node:crypto";

export const DIMENSIONS = 16;

/** E: the one true vector of a text. Unit length, never zero. */
export function trueVector(text: string, dimensions = DIMENSIONS): Float32Array<ArrayBuffer> {
    const values: number[] = [];
    for (let block = 0; values.length < dimensions; block += 1) {
        const digest = createHash("sha256").update(`${block}:${text}`).digest();
        for (let at = 0; at < 32; at += 4) values.push(digest.readInt32LE(at) / 2 ** 31);
    }
    const shortened = values.slice(0, dimensions);
    const length = Math.hypot(...shortened);
    return Float32Array.from(shortened, (value) => value / length);
}

/** Tokens that the stub bills: words. */
export function trueTokens(text: string): number {
    return text.split(" ").length;
}

export function fromBase64(text: string): Float32Array {
    const bytes = Buffer.from(text, "base64");
    return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}
