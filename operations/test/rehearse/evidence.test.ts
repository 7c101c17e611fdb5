import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { compareEntries } from "../../rehearse/cacheEntries.ts";
import {
    describeEvidence,
    EVIDENCE_SCHEMA,
    judge,
    readEvidence,
    withGoal,
    writeEvidence,
    type Evidence,
} from "../../rehearse/evidence.ts";

const EVIDENCE: Evidence = {
    schema: EVIDENCE_SCHEMA,
    rehearsal: "redis-loss",
    purpose: "Redis is lost.",
    verdict: "pass",
    reasons: [],
    quick: false,
    startedAt: "2026-12-01T08:00:00.000Z",
    seconds: 100,
    cluster: { context: "one", stack: "local", redisMode: "standalone" },
    commit: "abc",
    precondition: "Redis is up",
    steps: [{ at: 1, does: "back up", command: "make backup OUT=a.gz", seconds: 2 }],
    alerts: [{ alert: "RedisDown", labels: {}, expected: true, firingAt: 72.4 }],
    traffic: { perSecond: 10, sent: 1000, failed: 1, failures: { "status 503": 1 } },
    figures: [withGoal("failed requests", "", 1, "==", 0)],
    putBack: { done: true, problems: [] },
};

describe("a verdict", () => {
    const met = withGoal("time to detect", "s", 60, "<=", 60);
    const missed = withGoal("hit rate", "", 0.9, ">=", 0.95);

    test.each([
        ["pass: all goals are met", [met], [], false, "pass", []],
        ["fail: one is missed", [met, missed], [], false, "fail", [/hit rate is 0\.9 .*>= 0\.95/]],
        ["fail: a step failed", [met], ["not within 5 s"], false, "fail", [/not within 5 s/]],
        [
            "fail: nothing was measured because of an error",
            [],
            ["no pod"],
            false,
            "fail",
            [/no pod/],
        ],
        ["interrupted: whatever was measured", [missed], [], true, "interrupted", [/interrupted/]],
    ] as const)("is %s", (_, figures, problems, isInterrupted, verdict, reasons) => {
        const judged = judge(figures, problems, isInterrupted);
        expect(judged.verdict).toBe(verdict);
        expect(judged.reasons).toHaveLength(reasons.length);
        for (const [index, reason] of reasons.entries()) {
            expect(judged.reasons[index]).toMatch(reason);
        }
    });

    test("does not count a value that is not a number as met", () => {
        expect(withGoal("a", "s", NaN, "<=", 1).met).toBe(false);
        expect(withGoal("a", "s", Infinity, "<=", 1).met).toBe(false);
    });
});

describe("evidence files", () => {
    let folder: string;
    beforeEach(async () => {
        folder = await mkdtemp(path.join(tmpdir(), "evidence-"));
    });
    afterEach(() => rm(folder, { recursive: true }));

    test("are the newest of each rehearsal, and all in the history", async () => {
        await writeEvidence(folder, { ...EVIDENCE, verdict: "fail" });
        const later = { ...EVIDENCE, startedAt: "2026-12-02T08:00:00.000Z" };
        const file = await writeEvidence(folder, later);
        expect(JSON.parse(await readFile(file, "utf8"))).toEqual(later);
        expect(await readEvidence(folder)).toEqual([later]);
        expect(await readdir(path.join(folder, "history"))).toHaveLength(2);
    });

    test("are an error if they are something else", async () => {
        await writeFile(path.join(folder, "other.json"), "{}");
        await expect(readEvidence(folder)).rejects.toThrow(/other\.json is not evidence/);
    });

    test("are none in a folder that does not exist", async () => {
        expect(await readEvidence(path.join(folder, "none"))).toEqual([]);
    });

    test("have a page that shows figures, failures and what did not happen", () => {
        const page = describeEvidence(EVIDENCE);
        expect(page).toContain("| failed requests | 1 | == 0 | no |");
        expect(page).toContain("1 × status 503");
        expect(page).toContain("| RedisDown | – | 72.4 s | – | – |");
        expect(page).toContain("`make backup OUT=a.gz`");
        expect(page).toContain("hit rate unknown before");
    });
});

test("entries of a backup are equal, changed, missing, or expired since", () => {
    const entry = (value: string, expiresAt?: number) => ({ value, expiresAt });
    const before = new Map([
        ["equal", entry("a", 1e9)],
        ["changed", entry("a", 1e9)],
        ["renewed", entry("a", 1e9)],
        ["missing", entry("a", 1e9)],
        ["never expires, missing", entry("a")],
        ["lease", entry("a", 2000)],
    ]);
    const after = new Map([
        ["equal", entry("a", 1e9)],
        ["changed", entry("b", 1e9)],
        ["renewed", entry("a", 2e9)],
        ["new", entry("c")],
    ]);
    expect(compareEntries(before, after, 1000)).toEqual({ equal: 1, changed: 2, missing: 2 });
});
