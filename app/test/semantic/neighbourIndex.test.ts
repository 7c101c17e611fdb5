import { expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { createNeighbourIndex } from "../../src/semantic/neighbourIndex.ts";

const CAPACITY = 6;
const angles = fc.float({ min: 0, max: 3, noNaN: true });
const direction = (angle: number): Float32Array =>
    Float32Array.of(Math.cos(angle), Math.sin(angle));
const change = fc.record({
    key: fc.constantFrom(..."abcdefghij"),
    angle: angles,
    keeps: fc.boolean(),
});

test("a search finds the most similar items, whatever was replaced and removed before", () => {
    fc.assert(
        fc.property(fc.array(change, { maxLength: 40 }), angles, (changes, wanted) => {
            const index = createNeighbourIndex<number>(2, 100);
            const model = new Map<string, number>();
            for (const { key, angle, keeps } of changes) {
                if (keeps) {
                    index.set(key, direction(angle), angle);
                    model.set(key, angle);
                } else expect(index.remove(key)).toBe(model.delete(key));
            }
            const cosine = (angle: number): number => Math.cos(angle - wanted);
            const expected = [...model.values()]
                .map(cosine)
                .sort((a, b) => b - a)
                .slice(0, 3);
            const found = index.search(direction(wanted), 3);
            expect(index.size()).toBe(model.size);
            expect(found).toHaveLength(expected.length);
            found.forEach(({ entry, similarity }, at) => {
                expect(similarity).toBeCloseTo(expected[at] ?? NaN, 4);
                expect(cosine(entry)).toBeCloseTo(similarity, 4);
            });
        }),
        propertyRuns(),
    );
});

test("a full index replaces its oldest items", () => {
    const index = createNeighbourIndex<number>(2, CAPACITY);
    for (let at = 0; at < CAPACITY + 2; at += 1) index.set(String(at), direction(at / 10), at);
    expect(index.size()).toBe(CAPACITY);
    expect(index.get("0")).toBeUndefined();
    expect(index.get("1")).toBeUndefined();
    expect(index.get("2")).toBe(2);
    expect(index.search(direction(0.7), 1)[0]?.entry).toBe(7);
});

test("expired items are not found, and are removed step by step", () => {
    const lives = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
        fc.property(lives, fc.nat(10), fc.integer({ min: 1, max: 5 }), (untils, now, step) => {
            const index = createNeighbourIndex<number>(2, 100);
            untils.forEach((until, at) => index.set(String(at), direction(at / 10), until, until));
            const usable = untils.flatMap((until, at) => (until > now ? [String(at)] : []));
            for (const [at, until] of untils.entries())
                expect(index.get(String(at), now)).toBe(until > now ? until : undefined);
            for (let at = 0; at < untils.length; at += step) index.removeExpired(now, step);
            expect([...index.keys()].sort()).toEqual(usable.toSorted());
        }),
        propertyRuns(200),
    );
    fc.assert(
        fc.property(lives, fc.nat(10), (untils, now) => {
            const index = createNeighbourIndex<number>(2, 100);
            untils.forEach((until, at) => index.set(String(at), direction(at / 10), until, until));
            const usable = untils.flatMap((until, at) => (until > now ? [String(at)] : []));
            // With this signature, the nearest ones are those that were added first.
            const found = index.search(direction(0), 100, now).map(({ key }) => key);
            expect(found).toEqual(usable);
            expect(index.size()).toBe(usable.length);
        }),
        propertyRuns(200),
    );
});

test("each item that leaves is reported once, with the signature and the entry that it had", () => {
    fc.assert(
        fc.property(fc.array(change, { maxLength: 40 }), angles, (changes, wanted) => {
            const left: number[] = [];
            const index = createNeighbourIndex<number>(2, CAPACITY, (_, entry, signature) => {
                expect(signature).toEqual(direction(entry));
                left.push(entry);
            });
            const added: number[] = [];
            changes.forEach(({ key, angle, keeps }, now) => {
                if (keeps) {
                    // Half of them expire.
                    index.set(key, direction(angle), angle, now % 2 === 0 ? now + 5 : Infinity);
                    added.push(angle);
                } else index.remove(key);
                index.search(direction(wanted), 3, now);
                index.removeExpired(now, 3);
            });
            const kept = index.search(direction(wanted), CAPACITY).map(({ entry }) => entry);
            expect([...left, ...kept].sort()).toEqual(added.sort());
        }),
        propertyRuns(300),
    );
});
