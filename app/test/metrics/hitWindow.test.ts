import { describe, expect, test } from "@jest/globals";

import { createHitWindow } from "../../src/metrics/hitWindow.ts";

const FIVE_MINUTES = 30;

/** A window over totals that the test adds to. */
function window() {
    const totals = { hits: 0, lookups: 0 };
    const { percent, tick } = createHitWindow(() => ({ ...totals }));
    return {
        percent,
        look: (hits: number, misses: number) => {
            totals.hits += hits;
            totals.lookups += hits + misses;
        },
        pass: (ticks: number) => {
            for (let at = 0; at < ticks; at += 1) tick();
        },
    };
}

describe("the human-readable hit rate", () => {
    test("covers the lookups so far, immediately", () => {
        const { percent, look } = window();
        look(3, 1);
        expect(percent()).toBe(75);
    });

    test("is NaN without lookups: neither 0 nor 100 would be true", () => {
        const { percent, look, pass } = window();
        expect(percent()).toBeNaN();
        look(5, 5);
        pass(FIVE_MINUTES);
        expect(percent()).toBeNaN();
    });

    test("drops what is five minutes old, and nothing sooner", () => {
        const { percent, look, pass } = window();
        look(0, 10);
        pass(1);
        look(10, 0);
        pass(FIVE_MINUTES - 2);
        expect(percent()).toBe(50);
        pass(1);
        expect(percent()).toBe(100);
        pass(1);
        expect(percent()).toBeNaN();
    });
});
