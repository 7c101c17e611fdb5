import { beforeAll, expect, test } from "@jest/globals";
import type { V1CronJob, V1Job } from "@kubernetes/client-node";
import { IMPACT_PREFIX, INSIGHTS_NAMES, NAMESPACES } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { findGateway } from "../../operations/gateway/endpoint.ts";
import { createSend } from "../../operations/gateway/connection.ts";
import { findImpactPage } from "../../operations/impact/impact.ts";
import { eventually, openCluster } from "../support/cluster.ts";

/** The image is there; the analysis itself has a budget of 30 s. */
const RUN_SECONDS = 300;

const cluster = openCluster();
const namespace = NAMESPACES.monitoring;
const batch = { apiVersion: "batch/v1", namespace };
const started = Date.now();

/** Gets a path of the page through the Gateway. */
let get: (path: string, token?: string) => Promise<Response>;
let accessToken: string;

beforeAll(async () => {
    const page = await findImpactPage(cluster);
    if (page?.url === undefined) throw new Error("the Gateway serves no page: make up");
    ({ accessToken } = page);
    const send = createSend(await findGateway(cluster));
    const origin = page.url.slice(0, -IMPACT_PREFIX.length);
    get = (path, token) =>
        send(`${origin}${path}`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
});

/** Runs a Job of the CronJob to its end, as `kubectl create job --from` does. A pod that fails is tried again. */
async function runOnce(): Promise<void> {
    const name = INSIGHTS_NAMES.daily;
    const cronJob = await cluster.objects.read<V1CronJob>({ ...batch, kind: "CronJob", name });
    const { metadata, spec } = cronJob.spec.jobTemplate;
    const job = { ...batch, kind: "Job", name: `${name}-${randomUUID().slice(0, 8)}` };
    await cluster.objects.create({
        apiVersion: job.apiVersion,
        kind: job.kind,
        metadata: {
            ...metadata,
            namespace,
            name: job.name,
            annotations: { "cronjob.kubernetes.io/instantiate": "manual" },
        },
        spec,
    } as never);
    try {
        await eventually(
            "the run has ended",
            async () => {
                const { status } = await cluster.objects.read<V1Job>(job);
                const failure = status?.conditions?.find(({ type }) => type === "Failed");
                if (failure) throw new Error(`the run has failed: ${failure.message}`);
                return status?.succeeded === 1;
            },
            RUN_SECONDS,
        );
    } finally {
        await cluster.objects.delete(job);
    }
}

interface DailyReport {
    readonly window: { readonly to: string };
    readonly completeness: { readonly state: string };
    readonly hotKeys: unknown;
}

test(
    "a run of the CronJob publishes the day's report, which the Gateway serves to those with the token",
    async () => {
        const day = new Date().toISOString().slice(0, 10);
        const path = `${IMPACT_PREFIX}/api/reports/${day}.json`;
        let report: DailyReport | undefined;
        // Of a platform that has just come up, Prometheus has no data of a full minute yet.
        await eventually(
            "a run has figures",
            async () => {
                await runOnce();
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
