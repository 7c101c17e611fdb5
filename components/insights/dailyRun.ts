import { COLOURS, INSIGHTS_NAMES, PORTS, SERVICE_NAMES } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { serviceHost } from "../addresses.ts";
import { standardLabels } from "../labels.ts";
import { podSecurityContext } from "../workload.ts";
import { insightsContainer, secretFile, secretVolumes, type InsightsProgram } from "./pods.ts";

/** Seconds after its time at which a run still starts, such as after an outage of the cluster. */
const START_SECONDS = 6 * 3600;
/** Most seconds of a run with its retries. The analysis has a budget of 30. */
const DEADLINE_SECONDS = 1800;
const REPORTS_FOLDER = "/reports";

/** How the tuner acts on what it finds: it takes its changes back, proposes some, or makes them. */
export const TUNING_MODES = ["off", "review", "automatic"] as const;
export type TuningMode = (typeof TUNING_MODES)[number];

interface DailyRun extends InsightsProgram {
    readonly component: string;
    readonly namespace: pulumi.Input<string>;
    readonly schedule: string;
    readonly timeZone: string;
    readonly tuning: TuningMode;
    readonly conceptRules: TuningMode;
    readonly storageDollarsPerGibHour?: number | undefined;
    readonly slackUrl?: unknown;
}

/**
 * Declares the CronJob of the daily analysis, which publishes its report at the page and posts it, and of the tuner, which
 * runs in each of its modes, since `off` takes its changes back. Neither waits for the other.
 */
export function createDailyRun(
    name: string,
    args: DailyRun,
    needs: readonly pulumi.Resource[],
    child: pulumi.CustomResourceOptions,
): void {
    const { component, namespace, schedule, timeZone } = args;
    const labels = standardLabels({ name: INSIGHTS_NAMES.daily, component });
    const metadata = { name: INSIGHTS_NAMES.daily, namespace, labels };
    const account = new k8s.core.v1.ServiceAccount(
        `${name}-daily-account`,
        { metadata, automountServiceAccountToken: false },
        child,
    );
    new k8s.batch.v1.CronJob(
        `${name}-daily`,
        {
            metadata,
            spec: {
                schedule,
                timeZone,
                concurrencyPolicy: "Forbid",
                startingDeadlineSeconds: START_SECONDS,
                successfulJobsHistoryLimit: 3,
                failedJobsHistoryLimit: 3,
                jobTemplate: {
                    metadata: { labels },
                    spec: {
                        backoffLimit: 3,
                        activeDeadlineSeconds: DEADLINE_SECONDS,
                        template: {
                            metadata: { labels },
                            spec: {
                                serviceAccountName: INSIGHTS_NAMES.daily,
                                automountServiceAccountToken: false,
                                enableServiceLinks: false,
                                // A failed pod stays, with its log.
                                restartPolicy: "Never",
                                securityContext: podSecurityContext(),
                                // At the same time: an analysis that fails must not keep the tuner from taking
                                // its changes back.
                                containers: [analysis(args), tuner(args)],
                                volumes: [
                                    { name: "data", emptyDir: { sizeLimit: "64Mi" } },
                                    ...secretVolumes(args, [
                                        "accessToken",
                                        "automationToken",
                                        ...(args.slackUrl === undefined
                                            ? []
                                            : (["slackUrl"] as const)),
                                    ]),
                                ],
                            },
                        },
                    },
                },
            },
        },
        { ...child, dependsOn: [account, ...needs] },
    );
}

function analysis(args: DailyRun): k8s.types.input.core.v1.Container {
    const slack =
        args.slackUrl === undefined ? [] : [`--slack-webhook-file=${secretFile("slackUrl")}`];
    return insightsContainer(args, {
        name: "analyse",
        args: [`--out=${REPORTS_FOLDER}`, ...serviceFlags(), ...slack],
        folder: REPORTS_FOLDER,
    });
}

function tuner(args: DailyRun): k8s.types.input.core.v1.Container {
    const dollars = args.storageDollarsPerGibHour;
    return insightsContainer(args, {
        name: "tune",
        args: [
            `--mode=${args.tuning}`,
            `--rules=${args.conceptRules}`,
            ...(dollars === undefined ? [] : [`--storage-dollars-per-gib-hour=${dollars}`]),
            ...serviceFlags(),
        ],
        folder: REPORTS_FOLDER,
    });
}

/** The automation port of each colour, and the page. */
function serviceFlags(): string[] {
    return [
        ...COLOURS.map((colour) => {
            const host = serviceHost(SERVICE_NAMES[colour], colour);
            return `--admin=http://${host}:${PORTS.automation}`;
        }),
        `--admin-token-file=${secretFile("automationToken")}`,
        `--publish=http://${serviceHost(INSIGHTS_NAMES.page, "monitoring")}:${PORTS.insights}`,
        `--publish-token-file=${secretFile("accessToken")}`,
    ];
}
