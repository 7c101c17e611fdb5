import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Value } from "typebox/value";

import { propertyRuns } from "../../../tests/support/property.ts";
import { compileRules, CONCEPT_RULES } from "../../src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../src/semantic/defaultRules.ts";

test("the default rules are valid and name no term twice", () => {
    expect(Value.Check(CONCEPT_RULES, DEFAULT_RULES)).toBe(true);
    const terms = DEFAULT_RULES.synonyms.flat();
    expect(terms).toHaveLength(new Set(terms).size);
});

test("synonyms are replaced as whole terms, the longest first", () => {
    const { rewrite } = compileRules(DEFAULT_RULES);
    expect(rewrite("2-bed Flat")).toBe("2 bedroom apartment");
    expect(rewrite("Two Bedroom flats")).toBe("2 bedroom apartment");
    expect(rewrite("flatmates wanted")).toBe("flatmates wanted");
    expect(rewrite("12 bedrooms")).toBe("12 bedrooms");
});

test("rewriting twice changes nothing more", () => {
    const { rewrite } = compileRules(DEFAULT_RULES);
    const words = fc.constantFrom(...DEFAULT_RULES.synonyms.flat(), "in", "Soho", "?");
    fc.assert(
        fc.property(fc.array(words, { maxLength: 8 }), (parts) => {
            const once = rewrite(parts.join(", "));
            expect(rewrite(once)).toBe(once);
        }),
        propertyRuns(),
    );
});

test("a typing error in the name of a place is corrected, and no other word", () => {
    const { correct } = compileRules(DEFAULT_RULES);
    expect(correct("flats in Brxiton, canary warf")).toBe("flats in brixton, canary wharf");
    for (const text of ["eating in soho", "wharfside", "a richer man", "brixtonian"])
        expect(correct(text)).toBe(text);
});

test("rules without terms change only the case", () => {
    const { rewrite, placesIn, oppositesIn } = compileRules({
        version: 7,
        synonyms: [],
        opposites: [],
        places: [],
    });
    expect(rewrite("Flat A.B")).toBe("flat a.b");
    expect(placesIn("soho").size).toBe(0);
    expect(oppositesIn("on").size).toBe(0);
});

test("a term with special characters is no pattern", () => {
    const { rewrite } = compileRules({
        version: 1,
        synonyms: [["with", "w/", "(a|b)*"]],
        opposites: [],
        places: [],
    });
    expect(rewrite("w/ x (a|b)* y")).toBe("with x with y");
});
