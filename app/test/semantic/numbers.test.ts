import { expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { contradictNumbers, extractNumbers as extractWritten } from "../../src/semantic/numbers.ts";
import { writeNumbers } from "../../src/semantic/numberWords.ts";

const extractNumbers = (text: string) => extractWritten(writeNumbers(text));

test.each([
    ["450k", "450000"],
    ["£450,000", "450000"],
    ["0.45m", "450000"],
    ["2.5 million", "2500000"],
    ["1.1k", "1100"],
    ["3.50", "3.5"],
    ["35 percent", "35%"],
    ["4.5%", "4.5%"],
    ["2026-11-01", "2026-11-01"],
    ["10:30", "10:30"],
    ["10 to 12", "10..12"],
    ["between two and three", "2..3"],
    ["450-500k", "450000..500000"],
    ["10km", "10"],
    ["e8", "e8"],
    ["00123", "00123"],
    ["twenty", "20"],
    ["twenty-five", "25"],
    ["two hundred", "200"],
    ["a thousand", "1000"],
    ["half", "1/2"],
    ["a dozen", "12"],
    ["the second floor", "2"],
    ["2nd floor", "2"],
    ["wait 10 seconds", "10"],
    ["chapter iv", "4"],
    ["7pm", "19:00"],
    ["7:30 a.m.", "7:30"],
    ["12 am", "0:00"],
    ["-5 degrees", "-5"],
    ["minus five", "-5"],
    ["room 3-5", "3..5"],
    ["on mondays", "mon"],
    ["in may", "may"],
    ["september", "sep"],
])("%j is the number %s", (text, value) => {
    expect(extractNumbers(text).map((fact) => fact.value)).toEqual([value]);
});

test("a number has the word after it, else the one before", () => {
    const nouns = (text: string) => extractNumbers(text).map(({ noun }) => noun);
    expect(nouns("2 bedrooms at 500")).toEqual(["bedroom", "at"]);
    expect(nouns("10km 7")).toEqual(["km", "km"]);
});

test("counts in any order agree if each counts the same thing, and disagree if two are swapped", () => {
    const things = fc.uniqueArray(fc.constantFrom("cat", "dog", "room", "bath", "guest"), {
        minLength: 2,
    });
    const counts = fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), {
        minLength: 5,
        maxLength: 5,
    });
    fc.assert(
        fc.property(things, counts, (nouns, numbers) => {
            const parts = nouns.map((noun, at) => `${numbers[at]} ${noun}`);
            const text = extractNumbers(parts.join(" and "));
            expect(contradictNumbers(text, extractNumbers(parts.toReversed().join(", ")))).toBe(
                false,
            );
            const [a = "", b = "", ...others] = nouns;
            const swapped = [b, a, ...others].map((noun, at) => `${numbers[at]} ${noun}`);
            expect(contradictNumbers(text, extractNumbers(swapped.join(" and ")))).toBe(true);
        }),
        propertyRuns(),
    );
});
