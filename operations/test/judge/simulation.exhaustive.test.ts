import { describe, expect, test } from "@jest/globals";
import { DEFAULT_LIMITS } from "../../judge/limits.ts";
import { BAD, GOOD } from "../../../bench/judge/scenarios.ts";
import { failsInSwitch, simulateWindow, type Outcome } from "../../../bench/judge/simulation.ts";
import { seededRandom } from "../../../bench/shared/random.ts";

const STEP = 20;
const SWITCHES = 60;

function alarms(name: string, falseAlarm: number): number {
    const scenario = GOOD.find((one) => one.name.startsWith(name));
    if (!scenario) throw new Error(`there is no scenario ${name}`);
    const random = seededRandom(1);
    const limits = { ...DEFAULT_LIMITS, falseAlarm };
    return Array.from({ length: SWITCHES }, () =>
        failsInSwitch({ ...scenario, limits, random }, { step: 2 * STEP, most: 1000 }),
    ).filter(Boolean).length;
}

describe("a candidate within the limits, analysed throughout a whole switch", () => {
    test.each(["as good as the active", "with a cold cache", "just within the limits"])(
        "is not failed by chance: %s",
        (name) => {
            expect(alarms(name, DEFAULT_LIMITS.falseAlarm)).toBe(0);
        },
    );

    test("exactly at the limits fails no more often than promised", () => {
        // Divided among windows and comparisons, so that it is far below.
        expect(alarms("just within the limits", 0.2)).toBeLessThanOrEqual(0.2 * SWITCHES);
    });
});

describe("a bad candidate", () => {
    function found(
        name: string,
        weight: number,
        until: Parameters<typeof simulateWindow>[2],
    ): Outcome[] {
        const scenario = BAD.find((one) => one.name === name);
        if (!scenario) throw new Error(`there is no scenario ${name}`);
        const simulation = { ...scenario, limits: DEFAULT_LIMITS, random: seededRandom(2) };
        const window = { weight, step: STEP, most: 6000 };
        return Array.from({ length: 60 }, () => simulateWindow(simulation, window, until));
    }

    // Twice what docs/release/judge.md has for 95 % of the runs.
    test.each([
        ["errors 0 % → 5 %", 0.1, 800],
        ["errors 0.1 % → 1 %", 0.1, 6000],
        ["+200 ms on every answer", 0.1, 40],
        ["+200 ms on every answer", 0.5, 80],
        ["+200 ms on misses, which are 5 %", 0.1, 2000],
    ] as const)("is detected: %s at a weight of %d, within %d requests", (name, weight, most) => {
        const outcomes = found(name, weight, ["fail"]);
        expect(outcomes.filter(({ verdict }) => verdict !== "fail")).toEqual([]);
        expect(Math.max(...outcomes.map(({ requests }) => requests))).toBeLessThanOrEqual(most);
    });

    test("with errors at the limit rarely passes before it is detected", () => {
        const outcomes = found("errors 0.1 % → 1 %", 0.1, ["fail", "pass"]);
        const passed = outcomes.filter(({ verdict }) => verdict === "pass").length;
        expect(passed / outcomes.length).toBeLessThanOrEqual(2 * DEFAULT_LIMITS.falsePass);
    });
});
