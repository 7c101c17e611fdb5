import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { JOBS, PATHS } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { DEFAULT_THRESHOLDS } from "../../components/monitoring/alerts/thresholds.ts";
import { openClient, openCluster } from "../support/cluster.ts";
import { asked, dashboardsJson, queriesOf } from "../support/dashboards.ts";
import { startLoad, type Load } from "../support/load.ts";
import { openPrometheus } from "../support/prometheus.ts";

/** Four scrapes for a rate, a turn of the slowest rules, and as much again. */
const SECONDS = 240;

const cluster = openCluster();
const prometheus = openPrometheus(cluster);
// All that the local stack scrapes; Grafana is not needed for this, and is not there.
const queries = queriesOf(
    dashboardsJson({
        thresholds: { ...DEFAULT_THRESHOLDS, jobs: [...DEFAULT_THRESHOLDS.jobs, JOBS.gateway] },
    }),
);
/** Queries that have not had data yet, and why. */
const silent = new Map(queries.map(({ expr }) => [expr, "was not asked"]));

const loads: Load[] = [];

beforeAll(
    async () => {
        const run = randomUUID();
        loads.push(
            startLoad({
                ...(await openClient(cluster)),
                path: PATHS.embed,
                // More texts than are asked in a minute: some are misses as long as this goes on.
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
        while (silent.size > 0 && Date.now() < deadline) {
            for (const expr of [...silent.keys()]) {
                const reason = await emptiness(expr);
                if (reason === undefined) silent.delete(expr);
                else silent.set(expr, reason);
            }
            await delay(1000);
        }
    },
    (SECONDS + 60) * 1000,
);

/** @returns why a panel would show nothing; 0/0 is no figure. */
async function emptiness(expr: string): Promise<string | undefined> {
    try {
        const samples = await prometheus.query(asked(expr));
        if (samples.some(({ value }) => Number.isFinite(value))) return undefined;
        return samples.length === 0 ? "no series" : "no figure";
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}

afterAll(async () => {
    for (const load of loads) await load.stop();
});

describe("no panel is empty on a stack that serves", () => {
    test.each(queries.map(({ file, panel, expr }) => [file, panel, expr] as const))(
        "%s, %s: %s",
        (_, __, expr) => {
            expect(silent.get(expr)).toBeUndefined();
        },
    );
});
