import { describe, expect, test } from "@jest/globals";
import { pino } from "pino";

import { createPauses } from "../../src/reuse/thread/pauses.ts";

function create() {
    let now = 0;
    const pauses = createPauses(pino({ level: "silent" }), () => now);
    return {
        ...pauses,
        recordSlow: (namespace: string, times: number) => {
            for (let at = 0; at < times; at += 1) pauses.record(namespace, true);
        },
        pass: (milliseconds: number) => {
            now += milliseconds;
        },
    };
}

describe("a namespace", () => {
    test("pauses after five slow lookups in a row, each time twice as long, up to 30 s", () => {
        const { recordSlow, isPaused, pass } = create();
        for (const pause of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
            recordSlow("a", 4);
            expect(isPaused("a")).toBe(false);
            recordSlow("a", 1);
            pass(pause - 1);
            expect(isPaused("a")).toBe(true);
            pass(1);
        }
    });

    test("does not pause for slow lookups of others, nor for five that are not in a row", () => {
        const { recordSlow, record, isPaused } = create();
        recordSlow("a", 4);
        recordSlow("b", 5);
        record("a", false);
        recordSlow("a", 4);
        expect([isPaused("a"), isPaused("b")]).toEqual([false, true]);
    });

    test("does not pause any more when it was dropped, alone or with all", () => {
        for (const dropped of ["a", undefined]) {
            const { recordSlow, isPaused, end } = create();
            recordSlow("a", 5);
            end(dropped);
            expect(isPaused("a")).toBe(false);
        }
    });
});
