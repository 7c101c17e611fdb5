import { describe, expect, test } from "@jest/globals";

import fc from "fast-check";

import { propertyRuns } from "../../tests/support/property.ts";
import { armOf, BLOCKS, blockOf, EXPERIMENTS, parseExperiments, unitOfUser } from "../src/index.ts";

describe("the block of a text", () => {
    // From GrowthBook's published test cases (cases.json, hash version 2).
    test.each([
        ["seed", "a", 0.0505],
        ["seed", "b", 0.2696],
        ["foo", "ab", 0.2575],
        ["foo", "def", 0.2019],
        ["89123klj", "8952klfjas09ujkasdf", 0.124],
        ["90850943850283058242805", "123", 0.7516],
        ["()**(%$##$%#$#", '___)((*":&', 0.0128],
    ])("of salt %s and unit %s is that of GrowthBook's hash: %d", (salt, unit, hash) => {
        expect(blockOf(salt, unit)).toBe(Math.floor(hash * BLOCKS));
    });

    test("is one of a hundred of about the same size", () => {
        const counts = new Array<number>(BLOCKS).fill(0);
        for (let at = 0; at < 100_000; at += 1) {
            const block = blockOf("salt", `text ${at}`);
            counts[block] = (counts[block] ?? 0) + 1;
        }

        expect(Math.min(...counts)).toBeGreaterThan(850);
        expect(Math.max(...counts)).toBeLessThan(1_150);
    });
});

test("a larger share of the treatment takes no text away from it", () => {
    const treated = (percent: number) =>
        Array.from({ length: BLOCKS }, (_, block) => armOf({ percent }, block) === "treatment");
    for (let percent = 0; percent < 100; percent += 1) {
        const larger = treated(percent + 1);
        expect(treated(percent).every((one, block) => !one || larger[block])).toBe(true);
        expect(larger.filter(Boolean)).toHaveLength(percent + 1);
    }
});

describe("the unit of a user", () => {
    const tenantIds = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);
    const users = fc.string({ unit: "binary" });

    test("differs between users and between tenants", () => {
        fc.assert(
            fc.property(
                tenantIds,
                users,
                tenantIds,
                users,
                (tenant, user, otherTenant, otherUser) => {
                    const isSame = tenant === otherTenant && user === otherUser;
                    expect(unitOfUser(tenant, user) === unitOfUser(otherTenant, otherUser)).toBe(
                        isSame,
                    );
                },
            ),
            propertyRuns(1_000),
        );
    });

    test("is in blocks of about the same size, and independent between tenants", () => {
        const blocks = ["acme", "other"].map((tenant) =>
            Array.from({ length: 50_000 }, (_, at) =>
                blockOf("salt", unitOfUser(tenant, `user-${at}`)),
            ),
        );
        for (const own of blocks) {
            const counts = new Array<number>(BLOCKS).fill(0);
            for (const block of own) counts[block] = (counts[block] ?? 0) + 1;
            // Five standard deviations of a binomial count of 500.
            expect(Math.min(...counts)).toBeGreaterThan(390);
            expect(Math.max(...counts)).toBeLessThan(612);
        }
        const [first = [], second = []] = blocks;
        const equal = first.filter((block, at) => block === second[at]).length;
        expect(equal).toBeGreaterThan(390);
        expect(equal).toBeLessThan(612);
    });
});

describe("a list of experiments", () => {
    test("may assign users instead of texts, for a property of the request", () => {
        const list = '[{"name": "enhanced_semantic_clustering", "unit": "user"}]';
        expect(EXPERIMENTS.errors?.(list)).toEqual([]);
        expect(parseExperiments(list)).toMatchObject([{ parameter: "cacheMode", unit: "user" }]);
    });

    test("may name a predefined one, and override its fields", () => {
        expect(parseExperiments('[{"name": "cache_ttl_optimization", "percent": 40}]')).toEqual([
            {
                name: "cache_ttl_optimization",
                parameter: "cacheTtlSeconds",
                unit: "text",
                control: 604_800,
                treatment: 1_209_600,
                percent: 40,
                salt: "cache_ttl_optimization",
            },
        ]);
        expect(parseExperiments('[{"name": "enhanced_semantic_clustering"}]')).toEqual([
            {
                name: "enhanced_semantic_clustering",
                parameter: "cacheMode",
                unit: "text",
                control: "exact",
                treatment: "semantic",
                percent: 50,
                salt: "enhanced_semantic_clustering",
            },
        ]);
        expect(parseExperiments("")).toEqual([]);
    });

    test.each([
        ["{", "is not JSON"],
        ["{}", "is not a list"],
        ["[1]", "[0].name is missing"],
        ['[{"name": "own"}]', "[0].parameter is missing; allowed: cacheTtlSeconds, cacheMode"],
        [
            '[{"name": "enhanced_semantic_clustering", "control": 1}]',
            "[0].control is 1; allowed: exact, semantic",
        ],
        ['[{"name": "cache_ttl_optimization", "percent": 101}]', "[0].percent is 101"],
        ['[{"name": "cache_ttl_optimization", "treatment": 5}]', "[0].treatment is 5"],
        [
            '[{"name": "cache_ttl_optimization", "unit": "user"}]',
            '[0].unit is "user"; allowed: text, because users share the entries that cacheTtlSeconds applies to',
        ],
        [
            '[{"name": "enhanced_semantic_clustering", "unit": "session"}]',
            '[0].unit is "session"; allowed: text, user',
        ],
        [
            '[{"name": "enhanced_semantic_clustering", "unit": null}]',
            "[0].unit is null; allowed: text, user",
        ],
        ['[{"name": "own", "unit": 1}]', "[0].unit is 1; allowed: text, user"],
        ['[{"name": "cache_ttl_optimization", "share": 5}]', "[0].share is 5; allowed: no such"],
        [
            '[{"name": "cache_ttl_optimization"}, {"name": "cache_ttl_optimization"}]',
            '[1].name is "cache_ttl_optimization", as that of [0]',
        ],
        [`[${"{},".repeat(4)}{}]`, "has 5 experiments"],
        ["[null]", "[0].name is missing"],
    ])("%s is rejected: %s", (list, message) => {
        expect(EXPERIMENTS.fits(list)).toBe(false);
        expect(EXPERIMENTS.errors?.(list).join("\n")).toContain(message);
    });
});
