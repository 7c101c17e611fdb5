import { expect, test } from "@jest/globals";
import { createPersistenceCheck } from "../../cluster/persistence.ts";

/** Seconds until observations of a state, two seconds apart, first show that it persists for 40 s. */
function lastsAfter(isThere: (second: number) => boolean): number | undefined {
    const lasts = createPersistenceCheck({ milliseconds: 40_000 });
    for (let second = 0; second < 600; second += 2) {
        if (lasts(isThere(second), second * 1000)) return second;
    }
    return undefined;
}

test("a state persists through short interruptions, such as a back-off of pulls and crashes", () => {
    expect(lastsAfter(() => true)).toBe(40);
    expect(lastsAfter((second) => second % 20 >= 10)).toBe(50);
});

test("a state that has ended, or returns much later, does not persist", () => {
    expect(lastsAfter((second) => second < 38)).toBeUndefined();
    expect(lastsAfter((second) => second % 60 < 30)).toBeUndefined();
});
