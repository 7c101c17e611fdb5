import path from "node:path";

import { readRows, type Row } from "./dataSets.ts";
import { createPropertyQueries } from "./propertyQueries.ts";

/** Two texts. */
export type Pair = readonly [string, string];

const PROPERTY_SEED = 1;

/** Pairs that somebody judged to mean the same; sets whose file is missing are left out. */
export function readEqualPairs(
    folder: string,
    most: number,
): readonly { readonly name: string; readonly pairs: readonly Pair[] }[] {
    const intents = Map.groupBy(createPropertyQueries(PROPERTY_SEED), ({ intent }) => intent);
    const property = [...intents.values()].flatMap(([first, ...others]) =>
        others.map(({ text }): Pair => [first?.text ?? "", text]),
    );
    const pairsOf = (file: string, isSame: (row: Row) => boolean): readonly Pair[] =>
        (readRows(path.join(folder, `${file}.jsonl.gz`)) ?? [])
            .filter(isSame)
            .map(({ a, b }): Pair => [a, b]);
    return [
        { name: "property queries of one intent", pairs: property },
        { name: "Quora duplicates", pairs: pairsOf("qqp-pairs", (row) => row.duplicate === 1) },
        { name: "STS benchmark, score 5", pairs: pairsOf("stsb", ({ score }) => score === 5) },
    ]
        .filter(({ pairs }) => pairs.length > 0)
        .map(({ name, pairs }) => ({ name, pairs: pairs.slice(0, most) }));
}
