import { INSIGHTS_NAMES, INSIGHTS_SECRET, NAMESPACES, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createDailyRun, type TuningMode } from "./insights/dailyRun.ts";
import {
    insightsContainer,
    INSIGHTS_RESOURCES,
    secretFile,
    secretVolumes,
    type InsightsProgram,
} from "./insights/pods.ts";
import { createStatefulSet, createWorkload, serverProbes } from "./monitoring/workload.ts";
import { INSIGHTS_COMPONENT } from "./networkPolicies/insights.ts";
import type { WorkloadFootprint } from "./quotas.ts";
import { sha256 } from "./redis/settings.ts";

const DATA_FOLDER = "/data";
/** Seconds that a terminating pod keeps serving, while the gateway removes it from its endpoints. */
const PRE_STOP_SECONDS = 5;
const GRACE_SECONDS = 40;

/** Settings of insights. */
export interface InsightsSettings {
    /** Image of insights/Dockerfile. */
    readonly image: string;
    /** Token with which people and programs log in to the page, at least 16 characters. */
    readonly accessToken: pulumi.Input<string>;
    /** Bearer token of the service's automation ports. */
    readonly automationToken: pulumi.Input<string>;
    /**
     * Minute and hour of the daily run, as a schedule of cron.
     * @default "0 2 * * *"
     */
    readonly schedule: string;
    /**
     * Time zone of the schedule.
     * @default "Etc/UTC"
     */
    readonly timeZone: string;
    /**
     * Days for which reports are kept.
     * @default 90
     */
    readonly retentionDays: number;
    /**
     * Size of the volume with the history, as a Kubernetes quantity.
     * @default "1Gi"
     */
    readonly storage: string;
    /**
     * StorageClass of that volume.
     * @default the default class of the cluster
     */
    readonly storageClass?: string | undefined;
    /**
     * Whether the daily run tunes the service after its analysis, proposes it, or takes it back.
     * @default "review"
     */
    readonly tuning: TuningMode;
    /**
     * The same for terms of semantic reuse that it finds in the texts of requests.
     * @default "review"
     */
    readonly conceptRules: TuningMode;
    /**
     * Price of storage for entries, by which the tuner weighs longer lifetimes.
     * @default none: that of the service's metrics
     */
    readonly storageDollarsPerGibHour?: number | undefined;
    /**
     * URL of Slack's incoming webhook.
     * @default none: nothing is sent to Slack
     */
    readonly slackUrl?: pulumi.Input<string> | undefined;
    /**
     * An existing Prometheus; its token is in the Secret of `Monitoring`.
     * @default that of `Monitoring`
     */
    readonly prometheus?: { readonly url: string; readonly authorized: boolean } | undefined;
}

/** Values of the settings that `Insights` is created without. */
export const DEFAULT_INSIGHTS = {
    schedule: "0 2 * * *",
    timeZone: "Etc/UTC",
    retentionDays: 90,
    storage: "1Gi",
    tuning: "review",
    conceptRules: "review",
} as const satisfies Partial<InsightsSettings>;

type Required = "image" | "accessToken" | "automationToken";

/** Arguments of `Insights`. */
export interface InsightsArgs
    extends Pick<InsightsSettings, Required>, Partial<Omit<InsightsSettings, Required>> {
    /**
     * Namespace of all objects. Network policies and grants name the default one.
     * @default "property-search-monitoring"
     */
    readonly namespace?: pulumi.Input<string>;
}

/** Maximum that insights runs at once: the page, the daily run and a manual one, each with a retry. */
export function insightsFootprints({
    storage,
}: Pick<InsightsSettings, "storage">): WorkloadFootprint[] {
    const containers = [INSIGHTS_RESOURCES];
    return [
        { pods: 1, containers, volumes: { count: 1, size: storage } },
        { pods: 4, containers: [...containers, ...containers] },
    ];
}

/**
 * What the cache earns: a page with its history, and a CronJob that analyses each day, reports it and tunes the service.
 * `Namespaces` allows its connections by `flows.insights`, and its pods by `quotas` with `insightsFootprints`.
 *
 * @example
 * ```ts
 * new Insights("insights", {
 *     image: "registry.example.com/insights:v1.0.0",
 *     accessToken: config.requireSecret("accessToken"),
 *     automationToken: config.requireSecret("automationToken"),
 * });
 * ```
 */
export class Insights extends pulumi.ComponentResource {
    constructor(name: string, given: InsightsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Insights", name, given, opts);
        const child = { parent: this };
        const component = INSIGHTS_COMPONENT;
        const args = { namespace: NAMESPACES.monitoring, ...DEFAULT_INSIGHTS, ...given, component };
        const { accessToken, automationToken, slackUrl, namespace } = args;
        const workload = createWorkload(name, INSIGHTS_NAMES.page, namespace, child, component);
        const secret = new k8s.core.v1.Secret(
            `${name}-secret`,
            {
                metadata: workload.metadata(INSIGHTS_SECRET.name),
                stringData: {
                    [INSIGHTS_SECRET.accessToken]: pulumi.secret(accessToken),
                    [INSIGHTS_SECRET.automationToken]: pulumi.secret(automationToken),
                    ...(slackUrl !== undefined && {
                        [INSIGHTS_SECRET.slackUrl]: pulumi.secret(slackUrl),
                    }),
                },
            },
            child,
        );
        // The hash of a hash of a random token reveals nothing. The page reads its token at startup.
        const checksum = pulumi.unsecret(
            pulumi.output(accessToken).apply((token) => sha256(sha256(token))),
        );
        createStatefulSet(
            name,
            workload,
            {
                port: PORTS.insights,
                checksum,
                set: { serviceName: workload.objectName, replicas: 1 },
                storage: args.storage,
                storageClass: args.storageClass,
                spec: {
                    terminationGracePeriodSeconds: GRACE_SECONDS,
                    containers: [page(args, args.retentionDays)],
                    volumes: secretVolumes(args, ["accessToken"]),
                },
                needs: [secret],
            },
            child,
        );
        createDailyRun(name, args, [secret], child);
        this.registerOutputs({});
    }
}

function page(program: InsightsProgram, days: number): k8s.types.input.core.v1.Container {
    return {
        ...insightsContainer(program, {
            name: "serve",
            args: [
                `--folder=${DATA_FOLDER}`,
                `--port=${PORTS.insights}`,
                `--access-token-file=${secretFile("accessToken")}`,
                `--keep=${days}`,
            ],
            folder: DATA_FOLDER,
        }),
        ports: [{ name: "http", containerPort: PORTS.insights, protocol: "TCP" }],
        ...serverProbes("/readyz", "/healthz", { periodSeconds: 2, failureThreshold: 60 }),
        lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
    };
}
