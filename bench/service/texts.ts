import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

import { listingText } from "./workload.ts";

/** Next to the checkout, not part of it. */
const SENTENCES = path.resolve(import.meta.dirname, "../../../shared/data/stsb.jsonl.gz");
/** A prime: steps of this size visit every sentence once. */
const STRIDE = 7_919;
/** Listings that no benchmark uses. */
const FIRST_LISTING = 2_000_000;

/** A source of texts without repetition. */
export interface Texts {
    readonly next: (count: number) => readonly string[];
    /** A sentence for the report: how many texts of each kind were used. */
    readonly describe: () => string;
}

/**
 * Sentences of the STS benchmark (61 characters on average), in an order that mixes their sources, and then
 * listings of about 80 characters.
 */
export function createTexts(): Texts {
    const sentences = existsSync(SENTENCES) ? readSentences(SENTENCES) : [];
    let at = 0;
    return {
        next: (count) =>
            Array.from({ length: count }, () => {
                const place = at++;
                return (
                    (place < sentences.length
                        ? sentences[(place * STRIDE) % sentences.length]
                        : undefined) ?? listingText(FIRST_LISTING + place)
                );
            }),
        describe: () => {
            const sentenceCount = Math.min(at, sentences.length);
            return `${sentenceCount} sentences of STS-B and ${at - sentenceCount} listings`;
        },
    };
}

function readSentences(file: string): readonly string[] {
    const lines = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n");
    const pairs = lines.map((line) => JSON.parse(line) as { a: string; b: string });
    return [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
}
