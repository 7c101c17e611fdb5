import { afterEach, describe, expect, test } from "@jest/globals";
import { JOBS, SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";
import { KNOWN_METRICS, lintQuery } from "../../../tests/support/promql.ts";
import { DEFAULT_LIMITS } from "../../judge/limits.ts";
import { InconclusiveError, type Observation } from "../../judge/observation.ts";
import { analyze, type Judgement } from "../../judge/judge.ts";
import { prometheusEvidence, type Query } from "../../judge/prometheus.ts";
import { evidenceQuery } from "../../judge/promql.ts";
import { systemClock } from "../../release/clock.ts";
import { prometheusJudge } from "../../release/machine/prometheusJudge.ts";
import { DEFAULT_PLAN, type Plan } from "../../release/plan.ts";
import { startPrometheus, type RealPrometheus } from "../support/prometheus.ts";
import { pod, seriesOf, world, type World } from "../support/syntheticSeries.ts";

const ROLES = { candidate: "green", active: "blue" } as const;

let running: RealPrometheus | undefined;
afterEach(async () => {
    await running?.stop();
    running = undefined;
});

async function prometheusOf(all: World): Promise<RealPrometheus> {
    await running?.stop();
    running = await startPrometheus();
    await running.write(seriesOf(all));
    return running;
}

function evidenceOf(ask: Query) {
    return prometheusEvidence({ query: ask, limits: DEFAULT_LIMITS, gateway: true });
}

/** Evidence at the end of the simulation. */
async function observe(all: World): Promise<Observation> {
    const { ask } = await prometheusOf(all);
    return evidenceOf(ask).read({ since: all.since, now: all.since + all.end });
}

async function verdictOn(all: World): Promise<Judgement> {
    const { ask } = await prometheusOf(all);
    const window = { since: all.since, now: all.since + all.end };
    return analyze(evidenceOf(ask), window, ROLES, DEFAULT_LIMITS);
}

describe("the query", () => {
    test("is valid, and reads exported metrics only", () => {
        const query = evidenceQuery({ from: 0, to: 60 }, [0.05, 1], true);
        const metrics = new Map([
            ...KNOWN_METRICS,
            ["traefik_router_requests_total", "counter"] as const,
        ]);
        expect(lintQuery(query, { recorded: new Set(), metrics })).toEqual([]);
    });

    test("does not read a gateway that is not scraped", () => {
        const query = evidenceQuery({ from: 0, to: 60 }, [0.05], false);
        expect(query).not.toContain("traefik");
        expect(query).not.toContain(`${JOBS.gateway}"`);
    });

    test("is one", async () => {
        const { ask } = await prometheusOf(world());
        const paths: string[] = [];
        const counting: Query = (path, parameters) => {
            paths.push(path);
            return ask(path, parameters);
        };
        const { since } = world();
        await evidenceOf(counting).read({ since, now: since + 120 });
        expect(paths).toEqual(["/api/v1/query"]);
    });
});

describe("counts", () => {
    test("are exact, of each colour, over the scrape intervals within the window", async () => {
        const all = world({
            pods: [
                pod("blue", "a", { perSecond: { all: 40, errors: 1, slow: 3 } }),
                pod("blue", "b", { offset: 2, perSecond: { all: 50, errors: 0, slow: 0 } }),
                pod("green", "c", { offset: 14, perSecond: { all: 10, errors: 2, slow: 5 } }),
            ],
        });
        const { ask } = await prometheusOf(all);
        const read = (since: number, now: number) =>
            evidenceOf(ask).read({ since: all.since + since, now: all.since + now });
        for (const [since, now, seconds] of [
            [0, 120, 120],
            [0, 15, 15],
            [-14, 119, 105],
            [1, 60, 45],
            [-300, 29.9, 315],
        ] as const) {
            const { colours, from, to } = await read(since, now);
            expect(to - from).toBe(seconds);
            expect(colours.blue.requests).toEqual({ total: 90 * seconds, bad: seconds });
            expect(colours.green.requests).toEqual({ total: 10 * seconds, bad: 2 * seconds });
            expect(colours.green.gatewayRequests).toEqual({
                total: 10 * seconds,
                bad: 2 * seconds,
            });
            expect(colours.green.answerTimes.hit_l1).toEqual({
                answers: 8 * seconds,
                slower: [0.05, 0.1, 0.2, 0.5, 1, 2].map((edge) => ({
                    seconds: edge,
                    answers: edge < 0.5 ? 5 * seconds : 0,
                })),
            });
            expect(colours.green.answerTimes.miss?.answers).toBe(0);
            expect(colours.green.answerTimes.error).toBeUndefined();
        }
    });

    test("continue through a restart, which is counted", async () => {
        const restarted = pod("green", "c", {
            offset: 11,
            lives: [{ from: -800, until: 50 }, { from: 62 }],
        });
        const { colours } = await observe(world({ pods: [pod("blue", "a"), restarted] }));
        // Until its last scrape before the restart, and from the restart to its last scrape.
        expect(colours.green.requests.total).toBe(10 * (41 - -4) + 10 * (116 - 62));
        expect(colours.green.restarts).toBe(1);
        expect(colours.blue.restarts).toBe(0);
    });

    test("of a pod that starts within the window start at zero", async () => {
        const late = pod("green", "d", { lives: [{ from: 33 }], offset: 11 });
        const { colours } = await observe(world({ pods: [pod("blue", "a"), late] }));
        expect(colours.green.requests.total).toBe(10 * (116 - 33));
        expect(colours.green.restarts).toBe(0);
    });

    test("of a pod that ends within the window stay", async () => {
        const removed = pod("blue", "a", { lives: [{ from: -800, until: 50 }], offset: 11 });
        const { colours } = await observe(world({ pods: [removed, pod("green", "c")] }));
        expect(colours.blue.requests.total).toBe(10 * (41 - -4));
    });

    test("of a pod whose scrapes failed for a while exclude its total since start", async () => {
        const { colours } = await observe(
            world({ pods: [pod("blue", "a"), pod("green", "c", { failing: [20, 80] })] }),
        );
        expect(colours.green.requests.total).toBe(10 * 120);
        expect(colours.green.scrapeHealth).toEqual({ pods: 1, answering: 1, ageSeconds: 8 });
    });

    test("that were not scraped for minutes do not count as new", async () => {
        const blind = world({ blind: [-400, 30] });
        const reading = observe(blind);
        await expect(reading).rejects.toThrow(InconclusiveError);
        await expect(reading).rejects.toThrow(/its counters were not scraped for more than 300 s/);
    });

    test("that were not scraped are reported with the time at which they can be analysed", async () => {
        const blind = world({ blind: [-400, 30] });
        const { verdict, readyAt = NaN } = await verdictOn(blind);
        expect(verdict).toBe("inconclusive");
        // First scraped between 30 s and 45 s after the start: a later window of 120 s excludes that.
        expect(readyAt - blind.since).toBeGreaterThanOrEqual(45 + 120);
        expect(readyAt - blind.since).toBeLessThanOrEqual(60 + 120);
        const { ask } = await prometheusOf({ ...blind, end: readyAt - blind.since });
        const window = { since: readyAt - 120, now: readyAt };
        const judged = await analyze(evidenceOf(ask), window, ROLES, DEFAULT_LIMITS);
        expect(judged.figures).toBeDefined();
    });

    test("of errors at the gateway are complete from the first one", async () => {
        const { route, colours } = await observe(
            world({ noPodErrors: { from: 100, perSecond: 7 } }),
        );
        expect(colours.green.gatewayRequests?.bad).toBe(0);
        // Scraped at 114 s; 30 requests a second came otherwise.
        expect(route).toEqual({ bad: 7 * 14, total: 30 * 120 + 7 * 14 });
    });
});

describe("misses", () => {
    const pods = (["blue", "green"] as const).map((colour) =>
        pod(colour, "a", { perSecond: { all: 10, errors: 0, slow: 0, misses: 2 } }),
    );

    test("are timed while Redis is up", async () => {
        const { colours } = await observe(world({ pods, redisAway: [-700, -690] }));
        expect(colours.green.answerTimes.miss?.answers).toBe(2 * 120);
    });

    test("are timed if Redis is not scraped, and fail if they are slow", async () => {
        const { verdict, reasons } = await verdictOn(world({ pods }));
        expect(verdict).toBe("fail");
        expect(reasons[0]).toMatch(/^misses slower than 2 s: green 100 %/);
    });

    test("are not timed while it is down, nor for a minute after a restart", async () => {
        // Intervals that end at 45 to 105 s: down from 30 on, a minute old at 105, analysed at 107.
        const { colours } = await observe(world({ pods, redisAway: [30, 45] }));
        expect(colours.green.answerTimes.miss?.answers).toBe(
            2 * (120 - 5 * SCRAPE_INTERVAL_SECONDS),
        );
        expect(colours.green.answerTimes.hit_l1?.answers).toBe(10 * 120);
        expect(colours.green.requests.total).toBe(10 * 120);
    });

    test("fail no candidate while it is down all the time", async () => {
        const { verdict } = await verdictOn(world({ pods, redisAway: [-10, 120] }));
        expect(verdict).toBe("pass");
    });
});

describe("the pods", () => {
    test("are ready and have not restarted, though kube-state-metrics itself restarts", async () => {
        const { colours, gaps } = await observe(
            world({
                kube: [
                    { instance: "10.0.0.9:8080", from: -900, until: 40 },
                    { instance: "10.0.0.7:8080", from: 50, until: Infinity },
                ],
            }),
        );
        expect(gaps).toEqual([]);
        expect(colours.green.pods).toEqual({ ready: 1, desired: 1, missing: 0, lost: 0 });
        expect(colours.green.restarts).toBe(0);
    });

    test("have unknown restarts without data at the start", async () => {
        const { verdict, reasons } = await verdictOn(
            world({ kube: [{ instance: "10.0.0.9:8080", from: 20, until: Infinity }] }),
        );
        expect({ verdict, reasons }).toEqual({
            verdict: "inconclusive",
            reasons: ["restarts: unknown for green"],
        });
    });

    const two = [pod("blue", "a"), pod("blue", "b"), pod("green", "c"), pod("green", "d")];

    test("are missing if they were ready, and lost after a minute", async () => {
        const since = (second: number) =>
            world({
                pods: two,
                ready: (colour, at) => (colour === "green" && at >= second ? 1 : 2),
            });
        expect((await observe(since(100))).colours.green.pods).toMatchObject({
            missing: 1,
            lost: 0,
        });
        const { verdict, reasons } = await verdictOn(since(55));
        expect({ verdict, reasons }).toEqual({
            verdict: "fail",
            reasons: [expect.stringMatching(/^pods: green 1 of 2 ready, blue 2 of 2 ready/)],
        });
    });

    test("that are requested and have not started are not missing, but one of none is", async () => {
        const grown = await observe(world({ pods: two, desired: 3 }));
        expect(grown.colours.green.pods).toEqual({ ready: 2, desired: 3, missing: 0, lost: 0 });
        const none = await observe(
            world({ pods: two, ready: (colour) => (colour === "green" ? 0 : 2) }),
        );
        expect(none.colours.green.pods).toEqual({ ready: 0, desired: 2, missing: 1, lost: 1 });
    });

    test("fail when their memory will be full soon, and the active's will not", async () => {
        // 400 and 1.5 a second more: full, at 1,000, in less than ten minutes.
        const leaking = (age: number) => 400 + Math.max(0, age - 650) * 1.5;
        const leak = world({ pods: [pod("blue", "a"), pod("green", "c", { bytes: leaking })] });
        const { verdict, reasons } = await verdictOn(leak);
        expect({ verdict, reasons }).toEqual({
            verdict: "fail",
            reasons: [
                expect.stringMatching(
                    /^memory: green at 79.\d % of its limit and full in 1\d\d s, blue at 40 % of its limit and not growing; allowed: not full within 600 s$/,
                ),
            ],
        });
        const both = world({
            pods: [pod("blue", "a", { bytes: leaking }), pod("green", "c", { bytes: leaking })],
        });
        expect((await verdictOn(both)).verdict).toBe("pass");
    });

    test("may grow while their caches fill", async () => {
        const filling = (age: number) => 700 - 300 * Math.exp(-Math.max(0, age - 800) / 25);
        const { verdict } = await verdictOn(
            world({ pods: [pod("blue", "a"), pod("green", "c", { bytes: filling })] }),
        );
        expect(verdict).toBe("pass");
    });
});

describe("the verdict is inconclusive", () => {
    test("before two scrapes", async () => {
        const asking: Query = () => Promise.reject(new Error("asked too early"));
        const { since } = world();
        for (const [from, now] of [
            [0, 14.9],
            [0.1, 29.9],
            [0, 0],
        ] as const) {
            const window = { since: since + from, now: since + now };
            expect(await analyze(evidenceOf(asking), window, ROLES, DEFAULT_LIMITS)).toEqual({
                verdict: "inconclusive",
                reasons: [
                    expect.stringMatching(
                        /^the window is \d+ s old and does not contain two scrapes/,
                    ),
                ],
                figures: undefined,
            });
        }
    });

    test("if a colour has no series", async () => {
        const { verdict, reasons } = await verdictOn(world({ pods: [pod("blue", "a")] }));
        expect(verdict).toBe("inconclusive");
        expect(reasons).toEqual(
            expect.arrayContaining([
                "green: Prometheus scrapes none of its pods",
                "requests: green 0 of 400",
            ]),
        );
    });

    test("if the last scrape is too old", async () => {
        const { verdict, reasons } = await verdictOn(world({ end: 150, blind: [110, 151] }));
        expect(verdict).toBe("inconclusive");
        expect(reasons).toEqual(
            expect.arrayContaining([
                "green: last scraped 49 s ago; allowed: 30 s",
                "kube-state-metrics: last scraped 55 s ago; allowed: 30 s",
                "gateway: last scraped 51 s ago; allowed: 30 s",
            ]),
        );
    });

    test("if a pod of the candidate does not answer Prometheus", async () => {
        const deaf = pod("green", "d", { failing: [100, 121] });
        const { verdict, reasons } = await verdictOn(
            world({ pods: [pod("blue", "a"), pod("green", "c"), deaf] }),
        );
        expect({ verdict, reasons }).toEqual({
            verdict: "inconclusive",
            reasons: ["green: 1 of 2 pods answer Prometheus; allowed: all"],
        });
    });

    test("when Prometheus is stopped", async () => {
        const all = world();
        const { ask, stop } = await prometheusOf(all);
        const window = { since: all.since, now: all.since + 120 };
        const look = () => analyze(evidenceOf(ask), window, ROLES, DEFAULT_LIMITS);
        expect((await look()).verdict).toBe("pass");
        await stop();
        expect(await look()).toEqual({
            verdict: "inconclusive",
            reasons: [expect.stringMatching(/^Prometheus does not answer: /)],
            figures: undefined,
        });
    });

    test("if Prometheus' response is invalid", async () => {
        const since = 60 * SCRAPE_INTERVAL_SECONDS;
        for (const [answer, reason] of [
            [undefined, "Prometheus' response is not an object"],
            ["<html>", "Prometheus' response is not an object"],
            [{ status: "error", error: "timed out" }, "Prometheus rejected the query: timed out"],
            [
                { status: "success", data: { resultType: "matrix", result: [] } },
                "Prometheus' response is not a vector",
            ],
            [
                {
                    status: "success",
                    data: { resultType: "vector", result: [{ metric: {}, value: [1, 2] }] },
                },
                "Prometheus' response has a value that is not a string",
            ],
        ] as const) {
            const evidence = evidenceOf(() => Promise.resolve(answer));
            const window = { since, now: since + 60 };
            expect(await analyze(evidence, window, ROLES, DEFAULT_LIMITS)).toEqual({
                verdict: "inconclusive",
                reasons: [reason],
                figures: undefined,
            });
        }
    });
});

describe("a verdict from Prometheus", () => {
    test("is a failure with 5 % errors", async () => {
        const failing = pod("green", "c", { perSecond: { all: 20, errors: 1, slow: 0 } });
        const { verdict, reasons } = await verdictOn(world({ pods: [pod("blue", "a"), failing] }));
        expect(verdict).toBe("fail");
        expect(reasons).toContain(
            "errors: green 5 % (120 of 2,400), blue 0 % (0 of 1,200); allowed: at most 1 %",
        );
    });

    test("is a failure with slow hits, against the active and against the limit of p95", async () => {
        const slow = pod("green", "c", { perSecond: { all: 10, errors: 0, slow: 10 } });
        const { verdict, reasons } = await verdictOn(world({ pods: [pod("blue", "a"), slow] }));
        expect(verdict).toBe("fail");
        expect(reasons).toEqual(
            expect.arrayContaining([
                "hits slower than 0.2 s: green 100 % (1,200 of 1,200), blue 0 % (0 of 1,200); allowed: at most 5 %",
                "hit_l1 slower than 0.2 s: green 100 % (1,200 of 1,200), blue 0 % (0 of 1,200); allowed: at most 1.5 × blue's and 5 points more",
            ]),
        );
    });

    test("is a failure if the gateway has no pod", async () => {
        const { verdict, reasons } = await verdictOn(
            world({ noPodErrors: { from: 60, perSecond: 3 } }),
        );
        expect({ verdict, reasons }).toEqual({
            verdict: "fail",
            reasons: [
                expect.stringMatching(
                    /^requests that got no pod: 4.\d+ % \(162 of 3,762\); allowed: at most 1 %$/,
                ),
            ],
        });
    });

    test("on restarts and requests follows the plan", async () => {
        const restarted = pod("green", "c", {
            offset: 11,
            lives: [{ from: -800, until: 50 }, { from: 62 }],
        });
        const all = world({ pods: [pod("blue", "a"), restarted, pod("green", "d")] });
        const { ask } = await prometheusOf(all);
        const now = () => (all.since + all.end) * 1000;
        const judge = prometheusJudge(ask, { ...systemClock, now });
        const look = (plan: Partial<Plan>) =>
            judge.analyze({
                ...ROLES,
                since: all.since * 1000,
                plan: { ...DEFAULT_PLAN, ...plan },
            });
        expect(await look({})).toMatchObject({
            verdict: "fail",
            reasons: ["restarts: green 1, blue 0; allowed: 0"],
        });
        expect((await look({ maxRestarts: 1 })).verdict).toBe("pass");
        expect((await look({ maxRestarts: 1, minRequests: 1_000_000 })).verdict).toBe(
            "inconclusive",
        );
    });

    test.each([
        ["watched until two minutes ago is none: its target has left Prometheus", 120, false],
        ["watched ten seconds ago counts", 10, true],
    ])("a gateway that was %s", async (_, secondsAgo, counts) => {
        const all = world();
        const prometheus = await prometheusOf(all);
        const labels = { __name__: "up", job: JOBS.gateway, instance: "10.0.0.9:8081" };
        await prometheus.write([{ labels, samples: [[Date.now() / 1000 - secondsAgo, 1]] }]);
        const queries: string[] = [];
        const ask: Query = (where, parameters) => {
            queries.push(parameters.query ?? "");
            return prometheus.ask(where, parameters);
        };
        const now = () => (all.since + all.end) * 1000;
        const judge = prometheusJudge(ask, { ...systemClock, now });
        await judge.analyze({ ...ROLES, since: all.since * 1000, plan: DEFAULT_PLAN });
        expect(queries.at(-1)?.includes("traefik")).toBe(counts);
    });
});
