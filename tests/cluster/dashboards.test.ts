import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { JOBS, PATHS } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { DEFAULT_THRESHOLDS } from "../../components/monitoring/alerts/thresholds.ts";
import { openClient, openCluster } from "../support/cluster.ts";
import { dashboardsJson, expandVariables, queriesOf } from "../support/dashboards.ts";
import { startLoad, type Load } from "../support/load.ts";
import { openPrometheus } from "../support/prometheus.ts";

/** Four scrapes for a rate, one evaluation of the slowest rules, and the same again as margin. */
const SECONDS = 240;

const cluster = openCluster();
const prometheus = openPrometheus(cluster);
// All sources that the local stack scrapes; it runs no Grafana, which this test does not need.
const queries = queriesOf(
    dashboardsJson({
        thresholds: { ...DEFAULT_THRESHOLDS, jobs: [...DEFAULT_THRESHOLDS.jobs, JOBS.gateway] },
    }),
);
/** Queries that have not returned data yet, with the reason. */
const empty = new Map(queries.map(({ expr }) => [expr, "not queried"]));

const loads: Load[] = [];

beforeAll(
    async () => {
        const run = randomUUID();
        loads.push(
            startLoad({
                ...(await openClient(cluster)),
                path: PATHS.embed,
                // More texts than are requested in a minute, so that misses continue throughout.
                bodies: Array.from({ length: 20_000 }, (_, at) => ({
                    text:
                        at % 20 === 0 ? `listing ${at} of ${run}` : `Two rooms, listing ${at % 40}`,
                })),
                connections: 1,
                maxRequests: 500_000,
                maxSeconds: SECONDS,
                keepAlive: false,
            }),
        );
        const deadline = Date.now() + SECONDS * 1000;
        while (empty.size > 0 && Date.now() < deadline) {
            for (const expr of [...empty.keys()]) {
                const reason = await reasonForEmpty(expr);
                if (reason === undefined) empty.delete(expr);
                else empty.set(expr, reason);
            }
            await delay(1000);
        }
    },
    (SECONDS + 60) * 1000,
);

/** @returns why a panel would show nothing, or undefined; NaN counts as nothing. */
async function reasonForEmpty(expr: string): Promise<string | undefined> {
    try {
        const samples = await prometheus.query(expandVariables(expr));
        if (samples.some(({ value }) => Number.isFinite(value))) return undefined;
        return samples.length === 0 ? "no series" : "no finite value";
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}

afterAll(async () => {
    for (const load of loads) await load.stop();
});

describe("every panel has data on a stack under load", () => {
    test.each(queries.map(({ file, panel, expr }) => [file, panel, expr] as const))(
        "%s, %s: %s",
        (_, __, expr) => {
            expect(empty.get(expr)).toBeUndefined();
        },
    );
});
