import { expect, test } from "@jest/globals";

import { createPropertyQueries } from "../../semantic/data/propertyQueries.ts";

const queries = createPropertyQueries(1);

test("there are more than 3,000 different queries over more than 400 intents", () => {
    const texts = new Set(queries.map(({ text }) => text));
    expect(texts.size).toBeGreaterThan(3_000);
    expect(new Set(queries.map(({ intent }) => intent)).size).toBeGreaterThan(400);
});

test("every intent has several wordings, and no slot of a pattern is left open", () => {
    for (const [, group] of Map.groupBy(queries, ({ intent }) => intent))
        expect(group.length).toBeGreaterThanOrEqual(5);
    for (const { text } of queries)
        expect(text).not.toMatch(/(?:^| )[BHTFP](?: |$)|\s\s|undefined/);
});

test("queries are written as people type: abbreviations, lower case, typing errors", () => {
    const share = (of: RegExp): number =>
        queries.filter(({ text }) => of.test(text)).length / queries.length;
    expect(share(/^[^A-Z]*$/)).toBeGreaterThan(0.6);
    expect(share(/\b(?:apt|hse|w\/|2br|nr|furn)\b/i)).toBeGreaterThan(0.05);
});

test("a seed determines all queries, and another seed gives others", () => {
    expect(createPropertyQueries(1)).toEqual(queries);
    expect(createPropertyQueries(2)).not.toEqual(queries);
});
