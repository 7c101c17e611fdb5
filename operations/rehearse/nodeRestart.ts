import { withGoal } from "./evidence.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { arePodsReady } from "./workloadsReady.ts";

/** The only node loses its power and starts again. */
export const nodeRestart: Rehearsal = {
    name: "node-restart",
    purpose:
        "The node of the cluster ends without warning and starts again: everything on it returns without a command.",
    precondition:
        "the cluster is that of make up, which has a single node, so that requests fail until it is back",
    duration: { whole: 120, quick: 120 },
    localOnly: true,
    isOutage: true,
    alerts: [],
    run: async (context) => {
        const { traffic, alerts, cluster } = context;
        const fault = await context.beginFault({});
        await context.make("end the node's processes, and start it", ["node-restart"]);
        const started = Date.now();
        await context.waitFor(
            "requests are answered",
            () => traffic.firstAnswer(started) !== undefined,
            180,
        );
        await context.waitFor("all pods are ready", () => arePodsReady(cluster, fault), 240);
        const ready = (Date.now() - fault) / 1000;
        await context.waitFor(
            "Watchdog is in Alertmanager",
            () => alerts.isNotified("Watchdog"),
            180,
        );
        const watched = (Date.now() - fault) / 1000;
        await context.waitFor(
            "ten seconds of answers",
            () => Date.now() - (traffic.lastFailure() ?? 0) > 10_000,
            120,
        );
        const first = traffic.firstFailure(fault);
        const last = traffic.lastFailure();
        const outage = first === undefined || last === undefined ? 0 : (last - first) / 1000;
        context.measure(
            "time to detect, by clients",
            "s",
            first === undefined ? 0 : (first - fault) / 1000,
        );
        context.figure(withGoal("outage", "s", outage, "<=", 120));
        context.figure(withGoal("all pods ready after", "s", ready, "<=", 240));
        context.figure(withGoal("alerts delivered again after", "s", watched, "<=", 300));
    },
    // A node that does not return is recreated.
    putBack: async (target) => {
        if (await arePodsReady(target.cluster).catch(() => false)) return;
        await target.make("bring the platform back", ["up"]);
    },
};
