import { describe, expect, test } from "@jest/globals";
import { cpuMilliseconds } from "../../../app/test/support/cpu.ts";
import {
    describeConstraints,
    fits,
    mergeConstraints,
    parseMessage,
    type Constraints,
} from "../src/constraints.ts";
import { AREAS } from "../src/data/areas.ts";
import { generateDataset } from "../src/data/generate.ts";

const MOST_MILLISECONDS = 100;
const NAMES = AREAS.map(({ name }) => name);
const parse = (message: string) => parseMessage(message, NAMES);

describe("parseMessage", () => {
    test.each<[string, Constraints]>([
        ["a two-bedroom flat", { bedrooms: 2 }],
        ["3 bed house under £1.2m", { bedrooms: 3, maxPricePounds: 1_200_000 }],
        ["at least 3 bedrooms below 900k", { minBedrooms: 3, maxPricePounds: 900_000 }],
        ["4+ bedrooms over 1 million", { minBedrooms: 4, minPricePounds: 1_000_000 }],
        ["2 or more beds", { minBedrooms: 2 }],
        ["between 400 and 600k", { minPricePounds: 400_000, maxPricePounds: 600_000 }],
        ["from £450,000 to £500,000", { minPricePounds: 450_000, maxPricePounds: 500_000 }],
        ["up to 650,000", { maxPricePounds: 650_000 }],
        ["at least £500k", { minPricePounds: 500_000 }],
        ["a studio in camden town", { bedrooms: 0, areas: ["Camden Town"] }],
        ["East Dulwich or Peckham", { areas: ["East Dulwich", "Peckham"] }],
        ["a garden, not in Chelsea", { excludedAreas: ["Chelsea"] }],
        // Numbers that are neither rooms nor pounds.
        ["within 2 km of a park, under 10 minutes to a train", {}],
        ["quiet, with a view of the river", {}],
    ])("%s", (message, constraints) => {
        expect(parse(message).constraints).toEqual(constraints);
    });

    test("only messages that describe a home have a topic", () => {
        for (const message of ["and under 600k?", "what about Peckham?", "3 bedrooms please"]) {
            expect(parse(message).topic).toBe("");
        }
        const message = "two bedrooms near a quiet park";
        expect(parse(message).topic).toBe(message);
        expect(parse("Start over: a studio").startsOver).toBe(true);
    });

    test("takes long messages of any characters, in a time that is in proportion", () => {
        for (const part of ["between 1 ", "£1,", "not in ", "at least one ", "\u0000", "😀"]) {
            const message = part.repeat(1_000).slice(0, 1_000);
            expect(cpuMilliseconds(MOST_MILLISECONDS, () => parse(message))).toBeLessThan(
                MOST_MILLISECONDS,
            );
        }
    });
});

describe("mergeConstraints", () => {
    const known = { bedrooms: 2, areas: ["Hackney"], maxPricePounds: 500_000 };

    test.each<[Constraints, Constraints]>([
        [{ areas: ["Peckham"] }, { ...known, areas: ["Peckham"] }],
        [{ minBedrooms: 3 }, { minBedrooms: 3, areas: ["Hackney"], maxPricePounds: 500_000 }],
        [{ areas: [] }, { bedrooms: 2, maxPricePounds: 500_000 }],
        [{ minPricePounds: 600_000 }, { bedrooms: 2, areas: ["Hackney"], minPricePounds: 600_000 }],
        [{}, known],
    ])("%j", (found, merged) => {
        expect(mergeConstraints(known, found)).toEqual(merged);
    });
});

test("constraints select listings, and are said in words", () => {
    const { listings } = generateDataset();
    const constraints = parse("at least 3 bedrooms in Hackney under £1.5m").constraints;
    const found = listings.filter((listing) => fits(listing, constraints));
    expect(found.length).toBeGreaterThan(0);
    for (const { area, bedrooms, pricePounds } of found) {
        expect([area, bedrooms >= 3, pricePounds <= 1_500_000]).toEqual(["Hackney", true, true]);
    }
    expect(describeConstraints(constraints)).toBe(
        "at least 3 bedrooms, at most £1,500,000, in Hackney",
    );
});
