import { describe, expect, test } from "@jest/globals";

import { createByteBudget } from "../../src/memory/byteBudget.ts";

const MAX_BYTES = 64;

/** Takes bytes until there are none for this owner. */
function pinAll(budget: ReturnType<typeof createByteBudget>, owner: string): number {
    for (let bytes = 0; ; bytes += 1) {
        const reservation = budget.reserve(() => undefined, owner);
        if (!reservation.grow(1)) return bytes;
        reservation.pin();
    }
}

describe("an owner that pins as much as it may", () => {
    test("leaves bytes for the owners that come later", () => {
        const budget = createByteBudget(MAX_BYTES);
        expect(["a", "b", "c"].map((owner) => pinAll(budget, owner))).toEqual([56, 7, 0]);
        expect(budget.reserve(() => undefined).grow(1)).toBe(true);
    });

    test("gets them back once they are released", () => {
        const budget = createByteBudget(MAX_BYTES);
        const reservation = budget.reserve(() => undefined, "a");
        expect(reservation.grow(56)).toBe(true);
        reservation.pin();
        expect(pinAll(budget, "a")).toBe(0);
        reservation.release();
        expect(pinAll(budget, "a")).toBe(56);
    });
});

test("an owner beyond its share loses its own oldest bytes, not those of others", () => {
    const budget = createByteBudget(MAX_BYTES);
    const evicted: string[] = [];
    const reserve = (name: string, owner: string) =>
        budget.reserve(() => evicted.push(name), owner);
    expect(reserve("of another", "b").grow(1)).toBe(true);
    expect(reserve("oldest", "a").grow(50)).toBe(true);
    expect(reserve("newer", "a").grow(10)).toBe(true);
    expect(evicted).toEqual(["oldest"]);
    expect(budget.reservedBytes()).toBe(11);
});

test("bytes that are still arriving do not reduce the share of others", () => {
    const budget = createByteBudget(MAX_BYTES);
    const stalled = budget.reserve(() => undefined, "b");
    expect(stalled.grow(50)).toBe(true);
    expect(pinAll(budget, "a")).toBe(56);
});
