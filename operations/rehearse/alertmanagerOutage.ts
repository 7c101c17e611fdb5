import { MONITORING_NAMES, NAMESPACES } from "@property-search/contract";
import { timeToDetect, withGoal } from "./evidence.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { readReplicas, readSet, restoreReplicas, scaleSet } from "./workloads.ts";

const ALERTMANAGER = { namespace: NAMESPACES.monitoring, name: MONITORING_NAMES.alertmanager };
const READY_SECONDS = 120;

interface Saved {
    readonly replicas: number;
}

/** Alertmanager is lost and returns. */
export const alertmanagerOutage: Rehearsal = {
    name: "alertmanager-outage",
    purpose:
        "Alertmanager is lost: Prometheus notices, and alerts that still fire are delivered after its return.",
    precondition: "the stack runs its own Alertmanager, and Watchdog reaches it",
    duration: { whole: 480, quick: 120 },
    alerts: ["PrometheusNotificationsFailing"],
    inapplicable: async ({ cluster }) =>
        (await readSet(cluster, ALERTMANAGER)) ? undefined : "the stack has no Alertmanager",
    run: async (context) => {
        const { cluster, alerts, signal } = context;
        const wait = { seconds: READY_SECONDS, signal };
        await context.waitFor(
            "Watchdog is in Alertmanager",
            () => alerts.isNotified("Watchdog"),
            90,
        );
        const replicas = await readReplicas(cluster, ALERTMANAGER);
        const fault = await context.beginFault({ replicas } satisfies Saved);
        await context.step("remove all pods of Alertmanager", () =>
            scaleSet(cluster, ALERTMANAGER, 0),
        );
        await context.expectAlert("PrometheusNotificationsFailing");
        const detected = (Date.now() - fault) / 1000;

        const repair = Date.now();
        await context.step(
            `kubectl scale statefulset -n ${ALERTMANAGER.namespace} ${ALERTMANAGER.name} --replicas=${replicas}`,
            () => restoreReplicas(cluster, ALERTMANAGER, replicas, wait),
        );
        await context.waitFor("Alertmanager has alerts", () => alerts.isNotified("Watchdog"), 150);
        const delivered = (Date.now() - repair) / 1000;
        // Its rate spans five minutes, if errors were counted.
        await context.expectResolved(360);

        context.figure(timeToDetect(context.quick, detected, { pending: 90, firing: 390 }));
        context.figure(withGoal("alerts delivered again after", "s", delivered, "<=", 150));
    },
    putBack: async ({ cluster, signal }, { replicas }: Saved) => {
        await restoreReplicas(cluster, ALERTMANAGER, replicas, { seconds: READY_SECONDS, signal });
    },
};
