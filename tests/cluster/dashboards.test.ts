import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { JOBS, PATHS } from "@property-search/contract";
import { gatewayUrl } from "@property-search/deploy";
import { randomUUID } from "node:crypto";
import { DEFAULT_THRESHOLDS } from "../../components/monitoring/alerts/thresholds.ts";
import { eventually, openCluster } from "../support/cluster.ts";
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
/** Queries that have not had data yet. */
const silent = new Set(queries.map(({ expr }) => expr));

const loads: Load[] = [];

beforeAll(
    async () => {
        const run = randomUUID();
        loads.push(
            startLoad({
                url: await gatewayUrl(cluster),
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
        await eventually(
            "every query has had data",
            async () => {
                for (const expr of [...silent]) {
                    const samples = await prometheus.query(asked(expr));
                    // 0/0 is no figure: it is what a panel shows of nothing.
                    if (samples.some(({ value }) => Number.isFinite(value))) silent.delete(expr);
                }
                return silent.size === 0;
            },
            SECONDS,
        ).catch(() => undefined);
    },
    (SECONDS + 60) * 1000,
);

afterAll(async () => {
    for (const load of loads) await load.stop();
});

describe("no panel is empty on a stack that serves", () => {
    test.each(queries.map(({ file, panel, expr }) => [file, panel, expr] as const))(
        "%s, %s: %s",
        (_, __, expr) => {
            expect(silent.has(expr)).toBe(false);
        },
    );
});
