import { hash } from "node:crypto";

import { GHOST_GROUPS } from "@property-search/contract";
import { expect, test } from "@jest/globals";

import {
    groupOf,
    idOf,
    isIdInLevel,
    isInLevel,
    isSampled,
    KEYS_PER_SAMPLE,
    MAX_LEVEL,
} from "../../src/ghosts/sample.ts";

const KEYS = 64_000;
const keys = Array.from({ length: KEYS }, (_, at) => hash("sha256", String(at), "base64url"));
const sampled = keys.filter(isSampled);

/** Six standard deviations of a binomial count. */
const tolerance = (count: number, share: number): number =>
    6 * Math.sqrt(count * share * (1 - share));

test("a key of sixteen is sampled, and groups have equal shares", () => {
    const share = 1 / KEYS_PER_SAMPLE;
    expect(Math.abs(sampled.length - KEYS * share)).toBeLessThan(tolerance(KEYS, share));
    const sizes = Array.from(
        { length: GHOST_GROUPS },
        (_, group) => sampled.filter((key) => groupOf(key) === group).length,
    );
    const expected = sampled.length / GHOST_GROUPS;
    for (const size of sizes)
        expect(Math.abs(size - expected)).toBeLessThan(tolerance(sampled.length, 1 / GHOST_GROUPS));
});

test("each level has half of the keys of the one before, in every group", () => {
    for (let level = 1; level <= 4; level += 1) {
        const before = sampled.filter((key) => isInLevel(key, level - 1));
        const kept = before.filter((key) => isInLevel(key, level));
        expect(Math.abs(kept.length - before.length / 2)).toBeLessThan(
            tolerance(before.length, 0.5),
        );
        expect(new Set(kept.map(groupOf)).size).toBe(GHOST_GROUPS);
    }
    expect(sampled.every((key) => isInLevel(key, 0))).toBe(true);
    expect(sampled.filter((key) => isInLevel(key, MAX_LEVEL)).length).toBeLessThan(3);
});

test("IDs of different keys differ, and have the level of their key", () => {
    expect(new Set(sampled.map(idOf)).size).toBe(sampled.length);
    for (const key of sampled)
        for (const level of [0, 1, 5])
            expect(isIdInLevel(idOf(key), level)).toBe(isInLevel(key, level));
});
