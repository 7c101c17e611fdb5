import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { checkLimits, DEFAULT_LIMITS, type Limits } from "../../judge/limits.ts";
import { judge, analyze } from "../../judge/judge.ts";
import { InconclusiveError, type ColourSample, type Observation } from "../../judge/observation.ts";
import { observation, sample, times } from "../support/observations.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const ROLES = { candidate: "green", active: "blue" } as const;

function verdictOn(observed: Observation, limits: Limits = DEFAULT_LIMITS) {
    const { verdict, reasons } = judge(observed, ROLES, limits);
    return { verdict, reasons };
}

function fails(observed: Observation, ...reasons: readonly unknown[]): void {
    expect(verdictOn(observed)).toEqual({ verdict: "fail", reasons });
}

function expectInconclusive(observed: Observation, ...reasons: readonly unknown[]): void {
    expect(verdictOn(observed)).toEqual({ verdict: "inconclusive", reasons });
}

describe("a candidate passes", () => {
    test("with enough requests, and reports both colours' figures", () => {
        expect(verdictOn(observation())).toEqual({
            verdict: "pass",
            reasons: [
                "errors: green 0 % (0 of 1,000), blue 0 % (0 of 1,000); shown to be under 1 %",
                "latency: no kind of answer of green is slower than allowed at 0.05, 0.1, 0.2, 0.5, 1, 2 s",
                "hits: green 95 % of the answers, blue 95 %; not judged",
            ],
        });
    });

    test("if the gateway is not scraped", () => {
        const unwatched = { gatewayRequests: undefined };
        expect(verdictOn(observation(unwatched, unwatched, { route: undefined })).verdict).toBe(
            "pass",
        );
    });

    test("alone at 100 %, within its limits", () => {
        const silent = {
            requests: { bad: 0, total: 0 },
            gatewayRequests: { bad: 0, total: 0 },
            answerTimes: {},
        };
        const { verdict, reasons } = verdictOn(observation({}, silent));
        expect(verdict).toBe("pass");
        expect(reasons).toContain(
            "latency: p95 is within its limits; blue has no answers to compare with",
        );
        expect(
            verdictOn(observation({ requests: { bad: 100, total: 1000 } }, silent)).verdict,
        ).toBe("fail");
    });

    test("with a cold cache, whose misses are as fast as the active's", () => {
        const cold = { answerTimes: { hit_l1: times(100), miss: times(900, 450, 0.2) } };
        const warm = { answerTimes: { hit_l1: times(950), miss: times(50, 25, 0.2) } };
        expect(verdictOn(observation(cold, warm)).verdict).toBe("pass");
    });

    test("while the active restarts, loses pods, fills its memory or has a pod that is not scraped", () => {
        const unwell: Partial<ColourSample> = {
            restarts: 4,
            pods: { ready: 1, desired: 2, missing: 1, lost: 1 },
            memory: { share: 0.99, growth: { gained: 0.5, secondsToLimit: 1 } },
            scrapeHealth: { pods: 2, answering: 1, ageSeconds: 29 },
        };
        expect(verdictOn(observation({}, unwell)).verdict).toBe("pass");
        const unknown = { restarts: undefined, pods: undefined, memory: undefined };
        expect(verdictOn(observation({}, unknown)).verdict).toBe("pass");
    });
});

describe("a candidate fails", () => {
    test("by errors beyond the limit and the active's, even with few requests", () => {
        fails(
            observation(
                { requests: { bad: 12, total: 60 } },
                { requests: { bad: 9, total: 9000 } },
            ),
            "errors: green 20 % (12 of 60), blue 0.1 % (9 of 9,000); allowed: at most 1 %",
            "errors: green 20 % (12 of 60), blue 0.1 % (9 of 9,000); allowed: at most blue's and 0.1 points more",
        );
    });

    test("by errors beyond the active's though within the limit", () => {
        fails(
            observation(
                { requests: { bad: 80, total: 10_000 } },
                { requests: { bad: 9, total: 9000 } },
            ),
            "errors: green 0.8 % (80 of 10,000), blue 0.1 % (9 of 9,000); allowed: at most blue's and 0.1 points more",
        );
    });

    test("by errors beyond the limit though the active has as many", () => {
        const failing = { requests: { bad: 300, total: 10_000 } };
        fails(
            observation(failing, failing),
            "errors: green 3 % (300 of 10,000), blue 3 % (300 of 10,000); allowed: at most 1 %",
        );
    });

    test("by failed requests at the gateway that its pods could not count", () => {
        fails(
            observation({ gatewayRequests: { bad: 150, total: 1150 } }),
            "errors at the gateway: green 13 % (150 of 1,150), blue 0 % (0 of 1,000); allowed: at most 5 %",
            "errors at the gateway: green 13 % (150 of 1,150), blue 0 % (0 of 1,000); allowed: at most blue's and 2 points more",
        );
    });

    test("by requests that the gateway answers without a pod", () => {
        fails(
            observation({}, {}, { route: { bad: 200, total: 2000 } }),
            "requests that got no pod: 10 % (200 of 2,000); allowed: at most 1 %",
        );
    });

    test("by slower hits", () => {
        fails(
            observation({ answerTimes: { hit_l1: times(950, 300, 0.1), miss: times(50) } }),
            "hit_l1 slower than 0.05 s: green 31.6 % (300 of 950), blue 0 % (0 of 950); allowed: at most 1.5 × blue's and 5 points more",
            "hit_l1 slower than 0.1 s: green 31.6 % (300 of 950), blue 0 % (0 of 950); allowed: at most 1.5 × blue's and 5 points more",
        );
    });

    test("by slower misses, though its hits, and so most answers, are as fast", () => {
        const { verdict, reasons } = verdictOn(
            observation({ answerTimes: { hit_l1: times(950), miss: times(50, 50, 0.2) } }),
        );
        expect(verdict).toBe("fail");
        expect(reasons).toEqual(
            [0.05, 0.1, 0.2].map((edge) =>
                expect.stringContaining(
                    `miss slower than ${edge} s: green 100 % (50 of 50), blue 0 % (0 of 50)`,
                ),
            ),
        );
    });

    test("by p95 of hits and of misses, though the active's are no better", () => {
        const slow = {
            answerTimes: {
                hit_l2: times(500, 250, 0.2),
                coalesced: times(200, 100, 2),
                miss: times(300, 200, 2),
            },
        };
        fails(
            observation(slow, slow),
            "hits slower than 0.2 s: green 50 % (250 of 500), blue 50 % (250 of 500); allowed: at most 5 %",
            "misses slower than 2 s: green 60 % (300 of 500), blue 60 % (300 of 500); allowed: at most 5 %",
        );
    });

    test("by one restart, unless one is allowed", () => {
        fails(observation({ restarts: 1 }), "restarts: green 1, blue 0; allowed: 0");
        expect(
            verdictOn(observation({ restarts: 1 }), { ...DEFAULT_LIMITS, restarts: 1 }).verdict,
        ).toBe("pass");
    });

    test("by a pod that is lost", () => {
        fails(
            observation({ pods: { ready: 1, desired: 2, missing: 1, lost: 1 } }),
            "pods: green 1 of 2 ready, blue 2 of 2 ready, for at least a minute; allowed: none that was ready may be lost (1)",
        );
    });

    test("by a pod whose memory is nearly full", () => {
        const full = { memory: { share: 0.93, growth: undefined } };
        fails(
            observation(full),
            "memory: green's fullest pod 93 % of its limit, blue's 40 %; allowed: 90 %",
        );
        expect(verdictOn(observation({ memory: { share: 0.9, growth: undefined } })).verdict).toBe(
            "pass",
        );
    });

    test("by memory that will be full within the bake, unless the active's fills up too", () => {
        const leak = { memory: { share: 0.5, growth: { gained: 0.06, secondsToLimit: 500 } } };
        fails(
            observation(leak),
            "memory: green at 50 % of its limit and full in 500 s, blue at 40 % of its limit and not growing; allowed: not full within 600 s",
        );
        expect(verdictOn(observation(leak, leak)).verdict).toBe("pass");
        for (const growth of [
            { gained: 0.04, secondsToLimit: 500 },
            { gained: 0.06, secondsToLimit: 600 },
        ]) {
            expect(verdictOn(observation({ memory: { share: 0.5, growth } })).verdict).toBe("pass");
        }
    });

    test("though other data is missing", () => {
        const { verdict } = verdictOn(
            observation(
                {
                    restarts: 2,
                    memory: undefined,
                    scrapeHealth: undefined,
                    requests: { bad: 0, total: 0 },
                },
                { scrapeHealth: undefined },
                { gaps: ["gateway: does not answer Prometheus"] },
            ),
        );
        expect(verdict).toBe("fail");
    });
});

describe("the verdict is inconclusive", () => {
    test("with too few requests, and reports how many are missing", () => {
        expectInconclusive(
            observation({ requests: { bad: 0, total: 37 }, answerTimes: {} }),
            "requests: green 37 of 400",
        );
        expectInconclusive(
            observation({ requests: { bad: 0, total: 399 } }),
            "requests: green 399 of 400",
        );
    });

    test("with errors that may be at the limit", () => {
        expectInconclusive(
            observation({ requests: { bad: 3, total: 500 } }),
            "errors: green 0.6 % (3 of 500), not yet shown to be under 1 %",
        );
    });

    test("with a suspicious comparison", () => {
        expectInconclusive(
            observation({ answerTimes: { hit_l1: times(950, 88), miss: times(50) } }),
            "undecided: hit_l1 slower than 0.05 s: green 9.26 % (88 of 950), blue 0 % (0 of 950); allowed: at most 1.5 × blue's and 5 points more",
        );
    });

    test("with a colour that is not scraped, or not recently", () => {
        expectInconclusive(
            observation({ scrapeHealth: undefined }),
            "green: Prometheus scrapes none of its pods",
        );
        expectInconclusive(
            observation({}, { scrapeHealth: undefined }),
            "blue: Prometheus scrapes none of its pods",
        );
        const old = { scrapeHealth: { pods: 2, answering: 2, ageSeconds: 31 } };
        expectInconclusive(observation(old), "green: last scraped 31 s ago; allowed: 30 s");
        expectInconclusive(observation({}, old), "blue: last scraped 31 s ago; allowed: 30 s");
        const deaf = { scrapeHealth: { pods: 2, answering: 0, ageSeconds: 7 } };
        expectInconclusive(observation(deaf), "green: none of its pods answers Prometheus");
        expectInconclusive(observation({}, deaf), "blue: none of its pods answers Prometheus");
    });

    test("with a pod of the candidate that is not scraped", () => {
        expectInconclusive(
            observation({ scrapeHealth: { pods: 2, answering: 1, ageSeconds: 7 } }),
            "green: 1 of 2 pods answer Prometheus; allowed: all",
        );
        expectInconclusive(
            observation({ pods: { ready: 3, desired: 3, missing: 0, lost: 0 } }),
            "green: 3 pods are ready and 2 scraped; allowed: all",
        );
        expectInconclusive(
            observation({ pods: { ready: 1, desired: 2, missing: 1, lost: 0 } }),
            "pods: green 1 of 2 ready, 1 missing",
        );
    });

    test("with unknown pods", () => {
        for (const name of ["restarts", "pods", "memory"] as const) {
            expectInconclusive(observation({ [name]: undefined }), `${name}: unknown for green`);
        }
    });

    test("with a gateway whose backends have other names", () => {
        expectInconclusive(
            observation({ gatewayRequests: { bad: 0, total: 0 } }),
            expect.stringMatching(/^gateway: counted none of green's 1,000 requests/),
        );
    });

    test("with gaps in the data", () => {
        expectInconclusive(
            observation({}, {}, { gaps: ["gateway: Prometheus scrapes none"] }),
            "gateway: Prometheus scrapes none",
        );
    });

    test("with invalid figures", () => {
        expectInconclusive(
            observation({ requests: { bad: NaN, total: 1000 } }),
            "green.requests.bad is NaN; allowed: 0 or more",
        );
        expectInconclusive(
            observation({}, { memory: { share: Infinity, growth: undefined } }),
            "blue.memory.share is Infinity; allowed: 0 or more",
        );
        expectInconclusive(
            observation({ restarts: -1 }),
            "green.restarts is -1; allowed: 0 or more",
        );
        const missing = { hit_l1: { answers: 10, slower: [{ seconds: 0.05, answers: NaN }] } };
        expectInconclusive(
            observation({ answerTimes: missing }),
            "green.answerTimes.hit_l1.slower.0.answers is NaN; allowed: 0 or more",
        );
    });

    test("without evidence", async () => {
        const read = () =>
            Promise.reject(new InconclusiveError("Prometheus does not answer: away"));
        expect(await analyze({ read }, { since: 0, now: 60 }, ROLES, DEFAULT_LIMITS)).toEqual({
            verdict: "inconclusive",
            reasons: ["Prometheus does not answer: away"],
            figures: undefined,
        });
    });
});

test("an error is not inconclusive", async () => {
    const read = () => Promise.reject(new TypeError("seen is undefined"));
    await expect(analyze({ read }, { since: 0, now: 60 }, ROLES, DEFAULT_LIMITS)).rejects.toThrow(
        TypeError,
    );
});

test("either colour may be the candidate", () => {
    const observed: Observation = {
        ...observation(),
        colours: { blue: sample({ restarts: 1 }), green: sample() },
    };
    expect(judge(observed, { candidate: "blue", active: "green" }, DEFAULT_LIMITS).reasons).toEqual(
        ["restarts: blue 1, green 0; allowed: 0"],
    );
});

test("the figures are plain data, with the comparisons closest to a failure", () => {
    const { figures } = judge(
        observation({
            requests: { bad: 5, total: 1000 },
            answerTimes: { hit_l1: times(900, 90), miss: times(100) },
        }),
        ROLES,
        DEFAULT_LIMITS,
    );
    expect(JSON.parse(JSON.stringify(figures))).toEqual(JSON.parse(JSON.stringify(figures)));
    expect(figures?.colours.green).toMatchObject({
        requests: { bad: 5, total: 1000 },
        hitShare: 0.9,
    });
    expect(figures?.comparisons).toHaveLength(5);
    const [nearest] = figures?.comparisons ?? [];
    expect(nearest).toMatchObject({
        metric: "hit_l1 slower than 0.05 s",
        candidate: { bad: 90, total: 900 },
        active: { bad: 0, total: 950 },
    });
    expect(nearest?.evidence).toBeGreaterThan(0);
    expect(nearest?.evidence).toBeLessThan(nearest?.threshold ?? NaN);
});

test("judging is pure and repeatable", () => {
    const share = fc
        .nat({ max: 2000 })
        .chain((of) => fc.record({ bad: fc.nat({ max: of }), total: fc.constant(of) }));
    const any: fc.Arbitrary<ColourSample> = fc
        .record({
            requests: share,
            gatewayRequests: fc.option(share, { nil: undefined }),
            restarts: fc.nat({ max: 1 }),
            hits: share,
        })
        .map(({ hits, ...rest }) =>
            sample({ ...rest, answerTimes: { hit_l1: times(hits.total, hits.bad) } }),
        );
    fc.assert(
        fc.property(any, any, (candidate, active) => {
            const observed = observation(candidate, active);
            const before = structuredClone(observed);
            const judged = judge(
                deepFrozen(observed),
                ROLES,
                deepFrozen(structuredClone(DEFAULT_LIMITS)),
            );
            expect(observed).toEqual(before);
            expect(judge(observed, ROLES, DEFAULT_LIMITS)).toEqual(judged);
            expect(judged.reasons.length).toBeGreaterThan(0);
        }),
        propertyRuns(200),
    );
});

describe("limits", () => {
    test("of the default are valid", () => {
        expect(() => checkLimits(DEFAULT_LIMITS)).not.toThrow();
    });

    test("are rejected, all at once, if they are invalid", () => {
        const wrong: Limits = {
            ...DEFAULT_LIMITS,
            falseAlarm: 0,
            windows: 1.5,
            errors: { limit: 1, margin: NaN },
            latency: { ...DEFAULT_LIMITS.latency, upperBounds: [0.3], ratio: 0.9 },
            restarts: -1,
        };
        expect(() => checkLimits(wrong)).toThrow(
            /^limits: falseAlarm is 0; allowed: more than 0 and less than 1; windows is 1.5; .*errors.limit is 1; .*errors.margin is NaN; .*latency.upperBounds\[0\] is 0.3; allowed: a bucket bound of the histogram: .*latency.ratio is 0.9; allowed: 1 or more; restarts is -1/,
        );
        expect(() =>
            checkLimits({
                ...DEFAULT_LIMITS,
                latency: { ...DEFAULT_LIMITS.latency, upperBounds: [] },
            }),
        ).toThrow("limits: latency.upperBounds is 0; allowed: 1 or more");
    });

    test("are checked before the evidence", async () => {
        const read = () => Promise.reject(new Error("read"));
        await expect(
            analyze({ read }, { since: 0, now: 60 }, ROLES, { ...DEFAULT_LIMITS, windows: 0 }),
        ).rejects.toThrow("limits: windows is 0; allowed: whole numbers from 1");
    });
});

function deepFrozen<T>(value: T): T {
    if (typeof value === "object" && value !== null) {
        Object.values(value).forEach(deepFrozen);
        Object.freeze(value);
    }
    return value;
}
