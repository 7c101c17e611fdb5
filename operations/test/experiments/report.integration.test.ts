import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
    armOf,
    BLOCKS,
    METRICS,
    OUTSIDE_REASONS,
    type Arm,
    type Unit,
} from "@property-search/contract";
import { reportExperiment } from "../../experiments/report.ts";
import { startPrometheus, type RealPrometheus, type Series } from "../support/prometheus.ts";

const NAME = "cache_ttl_optimization";
const MINUTES = 60;
const PERCENT = 20;
const TOKENS = 10;

let prometheus: RealPrometheus;

beforeAll(async () => {
    prometheus = await startPrometheus();
});
afterAll(() => prometheus.stop());

/** Per minute and block: 100 lookups, of which so many are misses, which vary by block. */
async function write(
    name: string,
    missesOf: (arm: Arm, block: number) => number,
    unit: Unit = "text",
): Promise<void> {
    const now = Math.floor(Date.now() / 1_000);
    const counter = (metric: string, labels: Series["labels"], perMinute: number): Series => ({
        labels: { __name__: metric, experiment: name, ...labels },
        samples: Array.from({ length: MINUTES + 1 }, (_, minute) => [
            now - (MINUTES - minute) * 60,
            // A pod restarts after half an hour and counts from 0.
            perMinute * (minute > MINUTES / 2 ? minute - MINUTES / 2 : minute),
        ]),
    });
    const series = Array.from({ length: BLOCKS }, (_, block) => {
        const arm = armOf({ percent: PERCENT }, block);
        const labels = { arm, block: String(block) };
        const misses = missesOf(arm, block);
        return [
            counter(METRICS.experimentLookups, { ...labels, unit, result: "miss" }, misses),
            counter(METRICS.experimentLookups, { ...labels, unit, result: "hit" }, 100 - misses),
            counter(METRICS.experimentTokens, labels, misses * TOKENS),
            ...(unit === "user"
                ? [
                      counter(METRICS.experimentVerdicts, { ...labels, verdict: "relevant" }, 80),
                      counter(
                          METRICS.experimentVerdicts,
                          { ...labels, verdict: "irrelevant" },
                          20 + (block % 2),
                      ),
                  ]
                : []),
        ];
    });
    const outside = OUTSIDE_REASONS.map((reason) =>
        counter(METRICS.experimentOutside, { reason }, unit === "user" ? 50 : 0),
    );
    const times = (["control", "treatment"] as const).flatMap((arm) =>
        ["0.01", "0.025", "+Inf"].map((le) =>
            counter(`${METRICS.experimentTime}_bucket`, { arm, le }, le === "0.01" ? 50 : 100),
        ),
    );
    await prometheus.write([...series.flat(), ...times, ...outside]);
}

describe("the report of an experiment, from a real Prometheus", () => {
    test("has its figures, over a restart of the pods, and a verdict", async () => {
        await write(NAME, (arm, block) => (arm === "treatment" ? 15 : 20) + (block % 5));

        const lines = await reportExperiment(prometheus.ask, { name: NAME, window: "1h" });

        expect(lines).toEqual([
            `Experiment ${NAME}, last 1h`,
            expect.stringMatching(/^ {2}lookups {7}control 4\d{5}, treatment 1\d{5}$/),
            expect.stringMatching(/^ {2}sample ratio {2}t = -?[01]\.\d$/),
            expect.stringMatching(
                /^ {2}hit rate {6}control 78\.0 %, treatment 83\.0 %; difference \+5\.0 points \(\+\d\.\d points to \+\d\.\d points\)$/,
            ),
            expect.stringMatching(/^ {2}tokens bought −22\.7 % \(−\d\d\.\d % to −\d\d\.\d %\)$/),
            "  p99           control 24.7 ms, treatment 24.7 ms",
            "  The intervals hold at every look with a probability of 95 %.",
            expect.stringMatching(/^Adopt the treatment: it buys less \(.*\)\.$/),
        ]);
    });

    test("has the error of semantic answers, of those pods that serve some", async () => {
        const name = "enhanced_semantic_clustering";
        await write(name, (arm, block) => (arm === "treatment" ? 10 : 20) + (block % 5));
        const now = Math.floor(Date.now() / 1_000);
        const series = (metric: string, labels: Series["labels"], last: number): Series => ({
            labels: { __name__: metric, ...labels },
            samples: Array.from({ length: 6 }, (_, minute) => [
                now - (5 - minute) * 60,
                (last * minute) / 5,
            ]),
        });
        const pods = [
            { pod: "a", bound: 0.031, serving: 1 },
            { pod: "b", bound: 1, serving: 0 },
        ];
        await prometheus.write([
            series(METRICS.experimentSemantic, { experiment: name, arm: "treatment" }, 300),
            series(METRICS.experimentSemantic, { experiment: name, arm: "control" }, 0),
            ...pods.flatMap(({ pod, bound, serving }) => [
                series(METRICS.semanticErrorBound, { pod }, bound),
                series(METRICS.semanticServing, { pod }, serving),
                series(METRICS.semanticErrorBudget, { pod }, 0.02),
                series(METRICS.semanticExhausted, { pod }, 0),
            ]),
        ]);

        const lines = await reportExperiment(prometheus.ask, { name, window: "1h" });

        expect(lines.at(-3)).toMatch(
            /^ {2}semantic {6}control 0 answers, treatment 3\d\d answers; error bound 3\.1 %, budget 2\.0 %$/,
        );
        expect(lines.at(-1)).toMatch(
            /^Undecided: the treatment buys less .*, but its error bound is 3\.1 %; allowed: 2\.0 %\.$/,
        );
    });

    test("with unit user has the verdicts, and the requests in no arm", async () => {
        const name = "by_user";
        await write(name, (arm, block) => (arm === "treatment" ? 15 : 20) + (block % 5), "user");

        const lines = await reportExperiment(prometheus.ask, { name, window: "1h" });

        expect(lines).toEqual([
            `Experiment ${name}, last 1h, by user`,
            expect.stringMatching(/^ {2}lookups {7}control 4\d{5}, treatment 1\d{5}$/),
            expect.stringMatching(
                /^ {2}in no arm {5}[23]\d{3} without a user, [23]\d{3} whose mode is named$/,
            ),
            "  largest block 1.0 % of the lookups",
            expect.stringMatching(/^ {2}sample ratio {2}t = -?[01]\.\d$/),
            expect.stringMatching(
                /^ {2}relevant {6}control 79\.6 %, treatment 79\.6 %; difference [+−]0\.0 points \(−\d\.\d points to \+\d\.\d points\)$/,
            ),
            expect.stringMatching(
                /^ {2}hit rate {6}control 78\.0 %, treatment 83\.0 %; difference \+5\.0 points/,
            ),
            expect.stringMatching(/^ {2}tokens bought −22\.7 % \(−\d\d\.\d % to −\d\d\.\d %\)$/),
            "  p99           control 24.7 ms, treatment 24.7 ms",
            "  Arms of users share entries: hit rates and tokens show that arms differ, not what adoption saves.",
            "  The intervals hold at every look with a probability of 95 %.",
            expect.stringMatching(/^Adopt the treatment if it saves: its users find as many/),
        ]);
    });

    test("has no verdict across a change of the unit", async () => {
        const name = "changed";
        await write(name, () => 20);
        const now = Math.floor(Date.now() / 1_000);
        const changed = { unit: "user", arm: "control", block: "0", result: "hit" };
        await prometheus.write([
            {
                labels: { __name__: METRICS.experimentLookups, experiment: name, ...changed },
                samples: [0, 1, 2, 3].map((minute) => [now - (3 - minute) * 60, minute]),
            },
        ]);

        const lines = await reportExperiment(prometheus.ask, { name, window: "1h" });

        expect(lines).toEqual([
            'Experiment "changed" had the units text and user in the last 1h, whose arms cannot be compared; allowed: a window since the change, or another name for the experiment',
        ]);
    });

    test("says that there is nothing to compare", async () => {
        const lines = await reportExperiment(prometheus.ask, { name: "unknown", window: "1h" });

        expect(lines).toEqual([
            'Prometheus has no lookups of experiment "unknown" in the last 1h. Is it in service.experiments of the stack, and does the service have requests?',
        ]);
    });
});
