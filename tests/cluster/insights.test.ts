import { beforeAll, expect, test } from "@jest/globals";
import { IMPACT_PREFIX } from "@property-search/contract";
import { eventually, openCluster } from "../support/cluster.ts";
import { openImpact, runDaily, RUN_SECONDS, type ImpactClient } from "../support/insights.ts";

const cluster = openCluster();
const started = Date.now();

let impact: ImpactClient;

beforeAll(async () => {
    impact = await openImpact(cluster);
});

interface DailyReport {
    readonly window: { readonly to: string };
    readonly completeness: { readonly state: string };
    readonly hotKeys: unknown;
}

test(
    "a run of the CronJob publishes the day's report, which the Gateway serves to those with the token",
    async () => {
        const { get, accessToken } = impact;
        const day = new Date().toISOString().slice(0, 10);
        const path = `${IMPACT_PREFIX}/api/reports/${day}.json`;
        let report: DailyReport | undefined;
        // Of a platform that has just come up, Prometheus has no data of a full minute yet.
        await eventually(
            "a run has figures",
            async () => {
                await runDaily(cluster);
                const answer = await get(path, accessToken);
                expect(answer.status).toBe(200);
                report = (await answer.json()) as DailyReport;
                return report.completeness.state !== "not measured";
            },
            RUN_SECONDS,
        );
        if (report === undefined) throw new Error("there is no report");
        // The window ends at a full minute.
        expect(Date.parse(report.window.to)).toBeGreaterThanOrEqual(started - 60_000);
        // The automation port has answered.
        expect(report.hotKeys).not.toBeNull();
        expect((await get(path)).status).toBe(401);
        expect((await get(path, `${accessToken}x`)).status).toBe(401);
    },
    2 * RUN_SECONDS * 1000,
);
