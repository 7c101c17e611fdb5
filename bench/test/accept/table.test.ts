import { afterAll, describe, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import {
    CRITERIA,
    exitCodeOf,
    SCHEMA,
    tabulate,
    type Evidence,
    type Row,
} from "../../accept/criteria.ts";
import { EVIDENCE_SCHEMA } from "../../../operations/rehearse/evidence.ts";
import { tabulateRehearsals } from "../../accept/rehearsals.ts";
import { watchReplicas } from "../../accept/replicas.ts";
import { judgeDisruption } from "../../accept/steps/disruption.ts";
import { CHECKS, judgeDocuments } from "../../accept/steps/documents.ts";
import { judgeScaling } from "../../accept/steps/scaling.ts";
import { judgePlatform } from "../../accept/steps/platform.ts";
import { createStore } from "../../accept/store.ts";
import { formatTable, renderHtml, renderMarkdown, summarise } from "../../accept/table.ts";
import type { LoadReport } from "../../load/run.ts";

const folder = mkdtempSync(path.join(tmpdir(), "acceptance-"));
afterAll(() => rmSync(folder, { recursive: true }));

const finding = { measured: "97 %", workload: "a day", verdict: "met" } as const;
const evidence = (values: Partial<Evidence> = {}): Evidence => ({
    ...{ schema: SCHEMA, step: "day", commit: "abc", quick: false, seconds: 1, data: {} },
    cluster: "one",
    begun: new Date().toISOString(),
    findings: { hits: finding, cost: finding, money: { ...finding, verdict: "not met" } },
    ...values,
});

describe("the table", () => {
    const rows = tabulate(new Map([["day", evidence()]]), () => true);

    test("has a row for each criterion, with the reason where nothing is known", () => {
        expect(rows).toHaveLength(CRITERIA.length);
        expect(rows[0]).toMatchObject({ verdict: "met", measured: "97 %", evidence: "day.json" });
        expect(rows.filter(({ verdict }) => verdict === "not measured")).toHaveLength(
            CRITERIA.length - 3,
        );
        expect(rows.at(-1)).toMatchObject({ measured: "the step has not run", evidence: "" });
    });

    test("says why a step could not be run", () => {
        const failed = evidence({ findings: {}, failure: "there is no cluster" });
        expect(tabulate(new Map([["day", failed]]), () => true)[0]).toMatchObject({
            verdict: "not measured",
            measured: "there is no cluster",
        });
    });

    test("counts nothing that was measured for another commit, in another mode, or long ago", () => {
        const old = evidence({ commit: "def", begun: "2026-12-01T08:00:00.000Z" });
        expect(tabulate(new Map([["day", old]]), () => false)[0]).toMatchObject({
            verdict: "not measured",
            measured: "evidence of commit def, cluster one, 2026-12-01T08:00Z: met, 97 %",
        });
    });

    test("decides the exit code: what is not met comes before what is not known", () => {
        const [met] = rows as [Row];
        expect(exitCodeOf([met])).toBe(0);
        expect(exitCodeOf([met, { ...met, verdict: "not measured" }])).toBe(3);
        expect(exitCodeOf(rows)).toBe(1);
    });

    test("is shown for a terminal, as Markdown and as a page", () => {
        const notes = ["Evidence: <folder>"];
        const table = { title: "Acceptance", subtitle: "now", rows, rehearsals: [], notes };
        const text = formatTable(table);
        expect(text).toContain("MET          hit rate over all services: at least 80 %");
        expect(text).toContain("NOT MET      monthly savings");
        expect(text.split("\n").filter((line) => line.length > 110)).toEqual([]);
        expect(renderMarkdown(table)).toContain(
            "| hit rate over all services (S1, S12) | at least 80 %",
        );
        expect(renderHtml(table)).toContain("Evidence: &lt;folder>");
        expect(summarise(rows)).toBe(
            `2 of ${rows.length} met, 1 not met, ${rows.length - 3} not measured`,
        );
    });
});

describe("evidence", () => {
    test("is used again only for the same commit and mode, while it is fresh, and if the step ran", () => {
        const store = createStore(folder, { commit: "abc", quick: false, cluster: "one" });
        const usable = (values: Partial<Evidence>) => {
            store.write(evidence(values));
            return store.readUsable("day") !== undefined;
        };
        expect(usable({})).toBe(true);
        expect(usable({ commit: "def" })).toBe(false);
        expect(usable({ quick: true })).toBe(false);
        expect(usable({ failure: "no cluster" })).toBe(false);
        const unknown = { ...finding, verdict: "not measured" } as const;
        expect(usable({ findings: { hits: finding, cost: unknown } })).toBe(false);
        expect(usable({ begun: new Date(Date.now() - 7 * 3_600_000).toISOString() })).toBe(false);
        expect(usable({ begun: new Date(Date.now() + 3_600_000).toISOString() })).toBe(false);
        // Of a cluster that is no more; a day measures none.
        expect(usable({ cluster: "another" })).toBe(true);
        for (const cluster of ["another", undefined])
            expect(store.isCurrent(evidence({ step: "users", cluster }))).toBe(false);
        expect(store.isCurrent(evidence({ step: "users" }))).toBe(true);
        expect(usable({ schema: "property-search/acceptance/0" as typeof SCHEMA })).toBe(false);
        expect([...store.readAll().keys()]).toEqual([]);
    });

    test("that cannot be read is an error, not a missing step", () => {
        const store = createStore(folder, { commit: "abc", quick: false });
        for (const text of ["{", "null", "[]"]) {
            writeFileSync(path.join(folder, "day.json"), text);
            expect(() => store.readAll()).toThrow(/day\.json is no evidence/);
        }
    });

    test("of rehearsals is shown with its age; without it, they are not measured", () => {
        const rehearsals = path.join(folder, "rehearsals");
        mkdirSync(rehearsals);
        const run = { commit: "abc", quick: false, cluster: "one" };
        const startedAt = new Date().toISOString();
        const write = (name: string, verdict: string, reasons: string[], values = {}) =>
            writeFileSync(
                path.join(rehearsals, `${name}.json`),
                JSON.stringify({
                    ...{ schema: EVIDENCE_SCHEMA, verdict, reasons, startedAt, seconds: 151.2 },
                    ...{ commit: "abc", quick: false, cluster: { id: "one" } },
                    ...{
                        traffic: { sent: 1500, failed: 3 },
                        figures: [{ name: "time to detect", unit: "s", value: 92 }],
                    },
                    ...values,
                }),
            );
        write("rollback", "pass", []);
        write("redis-loss", "fail", ["the alert did not fire"]);
        write("redis-failover", "not-applicable", ["one Redis server"]);
        const read = (subject = run) =>
            new Map(
                tabulateRehearsals(rehearsals, subject).map((row) => [
                    row.criterion.split(" ")[1],
                    row,
                ]),
            );
        const rows = read();
        const [rollback, loss] = [rows.get("rollback"), rows.get("redis-loss")];
        const [failover, restart] = [rows.get("redis-failover"), rows.get("node-restart")];
        expect(rollback).toMatchObject({ verdict: "met", measured: "pass; time to detect 92 s" });
        expect(rollback?.workload).toBe(
            `${startedAt.slice(0, 16)}, 151 s, 3 of 1500 requests failed`,
        );
        expect(loss).toMatchObject({
            verdict: "not met",
            measured: expect.stringContaining("the alert did not fire"),
        });
        expect(failover).toMatchObject({ verdict: "not measured" });
        expect(restart).toMatchObject({
            verdict: "not measured",
            measured: "make rehearse NAME=node-restart has not run",
        });

        for (const [subject, values] of [
            [{ ...run, commit: "def" }, {}],
            [{ ...run, cluster: "two" }, {}],
            [run, { quick: true }],
            [run, { startedAt: "2025-12-01T08:00:00.000Z" }],
        ] as const) {
            write("rollback", "pass", [], values);
            expect(read(subject).get("rollback")).toMatchObject({
                verdict: "not measured",
                measured: expect.stringMatching(/^evidence of commit abc.*: pass;/),
            });
        }
        write("rollback", "passed", []);
        expect(read().get("rollback")).toMatchObject({ verdict: "not measured" });
        for (const text of ["{", "null", "{}"]) {
            writeFileSync(path.join(rehearsals, "rollback.json"), text);
            expect(read().get("rollback")).toMatchObject({
                verdict: "not measured",
                measured: expect.stringContaining("rollback.json is not the evidence"),
            });
        }
    });
});

describe("findings", () => {
    const check = (what: string, result: "verified" | "failed" | "not verified" = "verified") => ({
        what,
        result,
        detail: "d",
    });
    const NOW = Date.parse("2026-12-01T08:00:00Z");
    const watchdog = (received: string) => ({
        received,
        status: "firing",
        labels: { alertname: "Watchdog" },
    });

    test("of the platform: a check that failed is not met, one that was not made is not measured", () => {
        const judge = (...checks: ReturnType<typeof check>[]) => judgePlatform(checks, [], NOW);
        const pods = check("all pods of blue are ready");
        expect(judge(pods, check("Prometheus scrapes each target")).monitoring?.verdict).toBe(
            "met",
        );
        expect(
            judge(pods, check("Prometheus scrapes each target", "failed")).monitoring?.verdict,
        ).toBe("not met");
        expect(
            judge(pods, check("Prometheus scrapes each target", "not verified")).monitoring
                ?.verdict,
        ).toBe("not measured");
        expect(judge(pods).monitoring?.verdict).toBe("not measured");
        expect(judge(pods, check("the certificate is valid", "not verified")).ready?.verdict).toBe(
            "met",
        );
        expect(judge(pods, check("the certificate is valid", "failed")).ready?.verdict).toBe(
            "not met",
        );
    });

    test.each([
        [[watchdog("2026-12-01T07:58:00Z")], "met", "the last one 2.0 min ago"],
        [[watchdog("2026-12-01T07:30:00Z")], "not met", "30.0 min ago"],
        [[], "not met", "no notification of the Watchdog"],
        ["no ready pod", "not measured", "no ready pod"],
    ])("of the Watchdog %j: %s", (received, verdict, words) => {
        const { alerting } = judgePlatform([], received, NOW);
        expect(alerting).toMatchObject({ verdict, measured: expect.stringContaining(words) });
    });

    const fakeCluster = (read: () => Promise<unknown>) =>
        ({ objects: { read } }) as unknown as Parameters<typeof watchReplicas>[0];

    test("of autoscaling count pods that are ready, not those that are requested", async () => {
        let [wanted, ready, reads] = [2, 1, 0];
        const cluster = fakeCluster(() => {
            reads += 1;
            return Promise.resolve({
                spec: { replicas: wanted },
                status: { readyReplicas: ready },
            });
        });
        /** Several polls of both colours: one that has begun may still see the last state. */
        const polls = async () => {
            for (const end = reads + 8; reads < end;) await delay(5);
        };
        const watched = watchReplicas(cluster, 5);
        try {
            await polls();
            [wanted, ready] = [3, 2];
            await polls();
            expect(watched.seen().blue).toMatchObject({ first: 2, most: 3, mostReady: 2 });
            expect(watched.seen().blue.grownAfter).toBeUndefined();
            ready = 3;
            await polls();
            expect(watched.seen().blue.grownAfter).toBeGreaterThan(0);
        } finally {
            watched.stop();
        }
    });

    test("of autoscaling are not measured if the pods could not be read", () => {
        const watched = watchReplicas(fakeCluster(() => Promise.reject(new Error("no answer"))));
        watched.stop();
        expect(judgeScaling("blue", watched.seen().blue, 4, "burst")).toMatchObject({
            verdict: "not measured",
            measured: "the pods of blue could only be read until 0 s after the start",
        });
    });

    test("of autoscaling need a pod that was added in time, and room for it", () => {
        const seen = { most: 3, mostReady: 3, samples: 9, lastAfter: 89 };
        const judge = (first: number, grownAfter: number | undefined, most: number | undefined) =>
            judgeScaling("blue", { ...seen, first, grownAfter }, most, "burst").verdict;
        expect(judge(2, 40, 4)).toBe("met");
        expect(judge(2, 100, 4)).toBe("not met");
        expect(judge(2, undefined, 4)).toBe("not met");
        expect(judge(4, undefined, 4)).toBe("not measured");
        expect(judge(2, undefined, undefined)).toBe("not measured");
    });

    const quantiles = { p50: 1, p90: 1, p95: 1, p99: 1, p999: 1, max: 1 };
    const report = (failed: number, users = 1100): Pick<LoadReport, "phases"> => ({
        phases: [
            {
                ...{
                    name: "users",
                    workload: "1,100 users",
                    users: 1100,
                    scheduled: 100 + failed,
                    seconds: [],
                },
                summary: {
                    ...{
                        interrupted: false,
                        seconds: 60,
                        sent: 100 + failed,
                        reconnects: 0,
                        peakUsers: users,
                        peakOpen: 10,
                        cpuSeconds: 1,
                        lag: quantiles,
                    },
                    routes: {
                        embed: {
                            ...{
                                answered: 100,
                                failed,
                                bytes: 0,
                                failures: failed ? { "status 503": failed } : {},
                            },
                            ...{
                                cache: {},
                                servedBy: {},
                                latency: quantiles,
                                service: quantiles,
                                hits: 0,
                                cached: quantiles,
                                curve: [],
                            },
                        },
                    },
                },
                ...{ lookups: undefined, judged: [], fault: undefined },
            },
        ],
    });
    const shift = (command: string, exitCode: number | null) => ({
        ...{ at: 1, command, exitCode, seconds: 60, weights: "0/100", output: "" },
    });
    const death = { at: 5, colour: "blue", pod: "p", how: "killed", readyAfter: 4 } as const;

    test("of disruption: one failed request is not met", () => {
        const shifts = [shift("switch --to green", 0), shift("rollback", 0)];
        expect(judgeDisruption(report(0), { shifts, deaths: [death] })).toMatchObject({
            downtime: { verdict: "met" },
            blueGreen: { verdict: "met", measured: "0/100 after 60 s (done)" },
            rollback: { verdict: "met" },
        });
        const { downtime } = judgeDisruption(report(1), { shifts, deaths: [death] });
        expect(downtime).toMatchObject({
            verdict: "not met",
            measured: expect.stringContaining("embed: 1 × status 503"),
        });
    });

    test("of disruption without a disturbance, or with fewer users, are not met or not measured", () => {
        const quiet = judgeDisruption(report(0), { shifts: [shift("switch", 2)], deaths: [] });
        expect(quiet).toMatchObject({
            downtime: { verdict: "not measured" },
            blueGreen: { verdict: "not met" },
            rollback: { verdict: "not measured", measured: "none ran" },
        });
        const few = judgeDisruption(report(0, 900), {
            shifts: [shift("switch", 0)],
            deaths: [death],
        });
        expect(few.downtime?.verdict).toBe("not met");
    });

    test("of disruption need a switch that moved the traffic, and pods that come back", () => {
        const failed = [shift("switch", 1), shift("switch", 1), shift("rollback", 0)];
        expect(judgeDisruption(report(0), { shifts: failed, deaths: [death] })).toMatchObject({
            downtime: {
                verdict: "not measured",
                measured: expect.stringContaining("no switch moved"),
            },
            blueGreen: { verdict: "not met" },
        });
        const shifts = [shift("switch", 0), shift("rollback", 0)];
        const deaths = [death, { ...death, readyAfter: null }];
        expect(judgeDisruption(report(0), { shifts, deaths }).downtime).toMatchObject({
            verdict: "not met",
            measured: expect.stringContaining("no pod in place of p was ready within 120 s"),
        });
    });

    test("of documents name tests that exist", () => {
        const root = path.resolve(import.meta.dirname, "../../..");
        expect(CHECKS.filter((tests) => !existsSync(path.join(root, tests)))).toEqual([]);
    });

    test("of documents: a failed check of the pages counts for each", () => {
        const files = {
            ...{ pages: 50, training: ["docs/training.md"], exercises: ["a", "b", "c", "d", "e"] },
            benchmarks: [
                "docs/service/performance.md",
                "docs/semantic/evaluation.md",
                "docs/policies-peers.md",
                "docs/acceptance.md",
            ],
        };
        const verdicts = (passed: number, failed: number, given = files) =>
            Object.values(judgeDocuments(given, { passed, failed, failures: [] })).map(
                ({ verdict }) => verdict,
            );
        expect(verdicts(10, 0)).toEqual(["met", "met", "met"]);
        expect(verdicts(10, 1)).toEqual(["not met", "not met", "not met"]);
        expect(verdicts(0, 0)).toEqual(["not met", "not met", "not met"]);
        expect(verdicts(10, 0, { ...files, exercises: ["a"] })).toEqual(["met", "met", "not met"]);
    });
});
