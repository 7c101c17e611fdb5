import { GHOST_GROUPS } from "@property-search/contract";

/**
 * The sample of keys that the ghosts follow. A key is in it by its own characters, in every pod: spatially hashed sampling
 * (Waldspurger et al., "Efficient MRC Construction with SHARDS", FAST 2015). A key has 43 characters of a SHA-256 in
 * base64url, six random bits each; the first 16 are used by the frequency sketch.
 */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The ID of a key is this part of it: 96 bits. Its first character decides on the sample. */
const ID_AT = 24;
const ID_CHARACTERS = 16;

/** Share of the keys in the sample: one in this many. */
export const KEYS_PER_SAMPLE = 16;
/** By character code; characters that no key has are not sampled. */
const DIGITS = new Uint8Array(128);
const SAMPLED = new Uint8Array(128);
for (const [digit, character] of [...ALPHABET].entries()) {
    DIGITS[character.charCodeAt(0)] = digit;
    SAMPLED[character.charCodeAt(0)] = digit < ALPHABET.length / KEYS_PER_SAMPLE ? 1 : 0;
}

/** Halvings of the sample that the characters allow. */
export const MAX_LEVEL = 18;

/** A few nanoseconds, and no allocation: it runs for each item of each request. */
export function isSampled(key: string): boolean {
    return SAMPLED[key.charCodeAt(ID_AT)] === 1;
}

/** @returns identity of a sampled key, without the characters that others of them share */
export function idOf(key: string): string {
    return key.slice(ID_AT, ID_AT + ID_CHARACTERS);
}

export function groupOf(key: string): number {
    return digit(key, ID_AT + 1) % GHOST_GROUPS;
}

/** Whether a sampled key is still in the sample after this number of halvings. */
export function isInLevel(key: string, level: number): boolean {
    return level === 0 || (bitsOf(key, ID_AT) & (2 ** level - 1)) === 0;
}

/** The same, of its ID. */
export function isIdInLevel(id: string, level: number): boolean {
    return (bitsOf(id, 0) & (2 ** level - 1)) === 0;
}

/** Number of keys that one key of the sample represents. */
export function weightOf(level: number): number {
    return KEYS_PER_SAMPLE * 2 ** level;
}

function bitsOf(text: string, idAt: number): number {
    return (digit(text, idAt + 2) << 12) | (digit(text, idAt + 3) << 6) | digit(text, idAt + 4);
}

function digit(text: string, at: number): number {
    return DIGITS[text.charCodeAt(at)] ?? 0;
}
