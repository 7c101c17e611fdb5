import { expect, test } from "@jest/globals";
import { begin } from "../../release/machine/begin.ts";
import { DEFAULT_PLAN } from "../../release/plan.ts";
import { formatDuration, historyText, statusText, type Status } from "../../release/report/text.ts";
import { enterPhase, type Switch } from "../../release/state.ts";

const NOW = Date.UTC(2026, 10, 25, 12);
const PODS = { desired: 3, ready: 3, isRolledOut: true, image: "an/image:v1" };

const begun: Switch = begin({
    kind: "release",
    to: "green",
    plan: DEFAULT_PLAN,
    versions: { blue: "v1.0.0", green: "v2.0.0-enhanced" },
    actor: "somebody.with-a-long-name@a-machine-with-a-long-name.example.com",
    reason: "",
    now: NOW - 400_000,
    lease: { fence: 3, holder: "somebody@machine/1-a" },
});

const observing: Switch = {
    ...enterPhase(begun, "observe", NOW - 75_000, "shares 1804/196 of 2000"),
    steps: [
        {
            weight: 10,
            shiftedAt: NOW - 75_000,
            shares: "1804/196 of 2000 for weights 90/10 (-0.3 σ)",
            verdict: "inconclusive",
            reasons: ["requests: green 37 of 400; " + "and so on ".repeat(20).trim()],
        },
    ],
    waitingFor: "requests: green 37 of 400",
};

function statusOf(state: Switch | undefined, more: Partial<Status> = {}): Status {
    return {
        weights: { blue: 90, green: 10 },
        pods: {
            blue: { ...PODS, version: "v1.0.0" },
            green: { ...PODS, ready: 2, version: "v2.0.0-enhanced" },
        },
        switch: state,
        isUnderWay: state !== undefined,
        driver: undefined,
        waitingFor: state?.waitingFor,
        deadline: NOW + 525_000,
        ...more,
    };
}

test("A status has the weights, the results, what the switch waits for, and the deadline", () => {
    const text = statusText(statusOf(observing), NOW);
    expect(text).toContain("blue   90 %  3 of 3 pods ready  v1.0.0");
    expect(text).toContain("green  10 %  2 of 3 pods ready  v2.0.0-enhanced");
    expect(text).toContain(
        "verdict inconclusive: 1804/196 of 2000 for weights 90/10\n        (-0.3 σ)",
    );
    expect(text).toContain("phase   observe at 10 % for 1 min 15 s");
    expect(text).toContain("waiting requests: green 37 of 400");
    expect(text).toContain("limit   rolled back in 8 min 45 s unless this changes");
    expect(text).toContain("driver  none: make switch TO=green resumes, make rollback reverts");
});

test("No line is wider than 80 columns", () => {
    const ended = enterPhase(observing, "rolled-back", NOW, "blue serves all traffic");
    const why = "errors: green 5.1 % (81 of 1,588), blue 0 % (0 of 14,377); allowed: 1 %";
    const aborted = {
        cause: "fail",
        by: "the judge",
        at: NOW,
        reason: why,
        phase: "observe",
    } as const;
    const texts = [
        statusText(statusOf(observing, { driver: "somebody@machine/1-a" }), NOW),
        statusText(statusOf({ ...ended, aborted }, { isUnderWay: false }), NOW),
        historyText([{ ...ended, aborted }]),
    ];
    for (const line of texts.join("\n").split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(texts[1]).toContain(
        "end     rolled back to blue after 6 min 40 s: fail, errors: green 5.1 %",
    );
});

test("without a switch, the status reports that there is none", () => {
    expect(statusText(statusOf(undefined), NOW)).toMatch(/There has been no switch yet\.$/);
    expect(historyText([])).toBe("There has been no switch yet.");
});

test.each([
    [400, "0 s"],
    [59_600, "1 min"],
    [75_000, "1 min 15 s"],
    [3_600_000, "1 h"],
    [3_900_000, "1 h 5 min"],
])("%d ms are %s", (milliseconds, words) => {
    expect(formatDuration(milliseconds)).toBe(words);
});
