import { expect, test } from "@jest/globals";
import { editDistance, suggestNearest } from "../src/nearest.ts";

test.each([
    ["pord", "prod", 1],
    ["prod", "prod", 0],
    ["pro", "prod", 1],
    ["prodd", "prod", 1],
    ["", "prod", 4],
    ["kitten", "sitting", 3],
])("%s is %s after %i edits", (from, to, edits) => {
    expect(editDistance(from, to)).toBe(edits);
    expect(editDistance(to, from)).toBe(edits);
});

test.each([
    ["pord", " (did you mean prod?)"],
    ["PROD", " (did you mean prod?)"],
    ["locla", " (did you mean local?)"],
    ["staging", ""],
    ["x", ""],
    ["", ""],
])("a mistyped %p is answered by %p", (word, words) => {
    expect(suggestNearest(word, ["dev", "local", "prod"])).toBe(words);
});
