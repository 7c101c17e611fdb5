import type { V1Container, V1CronJob, V1Job } from "@kubernetes/client-node";
import { IMPACT_PREFIX, INSIGHTS_NAMES, NAMESPACES } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { createSend } from "../../operations/gateway/connection.ts";
import { findGateway } from "../../operations/gateway/endpoint.ts";
import { findImpactPage } from "../../operations/impact/impact.ts";
import { eventually, type TestCluster } from "./cluster.ts";

/** The image is there; the analysis itself has a budget of 30 s. */
export const RUN_SECONDS = 300;

const namespace = NAMESPACES.monitoring;
const batch = { apiVersion: "batch/v1", namespace };

export interface ImpactClient {
    /** Gets a path of the page through the Gateway. */
    readonly get: (path: string, token?: string) => Promise<Response>;
    readonly accessToken: string;
}

export async function openImpact(cluster: TestCluster): Promise<ImpactClient> {
    const page = await findImpactPage(cluster);
    if (page?.url === undefined) throw new Error("the Gateway serves no page: make up");
    const send = createSend(await findGateway(cluster));
    const origin = page.url.slice(0, -IMPACT_PREFIX.length);
    return {
        accessToken: page.accessToken,
        get: (path, token) =>
            send(
                `${origin}${path}`,
                token ? { headers: { authorization: `Bearer ${token}` } } : {},
            ),
    };
}

/**
 * Runs a Job of the CronJob to its end, as `kubectl create job --from` does. A pod that fails is tried again.
 *
 * @param change of a container, such as other arguments
 */
export async function runDaily(
    cluster: TestCluster,
    change: (container: V1Container) => V1Container = (container) => container,
): Promise<void> {
    const name = INSIGHTS_NAMES.daily;
    const cronJob = await cluster.objects.read<V1CronJob>({ ...batch, kind: "CronJob", name });
    const { metadata, spec } = cronJob.spec.jobTemplate;
    const template = spec?.template ?? {};
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
        spec: {
            ...spec,
            template: {
                ...template,
                spec: { ...template.spec, containers: template.spec?.containers.map(change) },
            },
        },
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
