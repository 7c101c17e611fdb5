import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

import { listingText } from "./workload.ts";

/** Beside the checkout; no part of it. */
const SENTENCES = path.resolve(import.meta.dirname, "../../../shared/data/stsb.jsonl.gz");
/** Shares no factor with any number of sentences that is not a multiple of it. */
const STRIDE = 7_919;
/** Listings that no trial asks for. */
const FIRST_LISTING = 2_000_000;

/** Texts of which none comes twice. */
export interface Texts {
    readonly take: (count: number) => readonly string[];
    /** What has been taken so far, in words for a report. */
    readonly taken: () => string;
}

/**
 * Sentences of the STS benchmark, of 61 characters in the mean, as long as there are some, short ones and
 * long ones mixed: the file has them by origin. Then listings of about 80 characters.
 */
export function freshTexts(): Texts {
    const sentences = existsSync(SENTENCES) ? sentencesOf(SENTENCES) : [];
    let at = 0;
    return {
        take: (count) =>
            Array.from({ length: count }, () => {
                const place = at++;
                return (
                    (place < sentences.length
                        ? sentences[(place * STRIDE) % sentences.length]
                        : undefined) ?? listingText(FIRST_LISTING + place)
                );
            }),
        taken: () => {
            const known = Math.min(at, sentences.length);
            return `${known} sentences of STS-B and ${at - known} listings`;
        },
    };
}

function sentencesOf(file: string): readonly string[] {
    const lines = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n");
    const pairs = lines.map((line) => JSON.parse(line) as { a: string; b: string });
    return [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
}
