import { readIfExists } from "../cluster/connect.ts";
import { ROUTE } from "../shared/route.ts";
import { withGoal } from "./evidence.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** The whole stack is removed, with its data, and deployed again. */
export const restoreFromNothing: Rehearsal = {
    name: "restore-from-nothing",
    purpose:
        "The stack is removed with its volumes and secrets; one command brings back service, monitoring and scaling.",
    precondition:
        "the cluster is that of make up, whose caches exist; its cache and its metrics are lost",
    duration: { whole: 180, quick: 180 },
    localOnly: true,
    isOutage: true,
    alerts: [],
    run: async (context) => {
        const { stack, traffic, alerts } = context;
        const fault = await context.beginFault({});
        await context.make("remove the stack with its data", [
            "undeploy",
            `STACK=${stack}`,
            "DATA=delete",
        ]);
        const repair = Date.now();
        await context.make("deploy it again", ["up"]);
        const up = (Date.now() - repair) / 1000;
        const firstAnswer = traffic.firstAnswer(repair);
        await context.waitFor(
            "Watchdog is in Alertmanager",
            () => alerts.isNotified("Watchdog"),
            120,
        );
        const firstFailure = traffic.firstFailure(fault) ?? repair;
        const lastFailure = traffic.lastFailure() ?? firstFailure;
        await context.waitFor(
            "ten seconds of answers",
            () =>
                Date.now() - (traffic.lastFailure() ?? 0) > 10_000 && Date.now() - repair > 10_000,
            60,
        );

        context.figure(
            withGoal(
                "time to serving",
                "s",
                firstAnswer === undefined ? Infinity : (firstAnswer - repair) / 1000,
                "<=",
                180,
            ),
        );
        context.figure(withGoal("duration of make up", "s", up, "<=", 300));
        context.figure(
            withGoal("alerts delivered again after", "s", (Date.now() - repair) / 1000, "<=", 420),
        );
        context.measure("outage", "s", (lastFailure - firstFailure) / 1000);
    },
    putBack: async (target) => {
        // A node that make up has recreated has other certificates.
        if (await readIfExists(target.cluster, ROUTE).catch(() => undefined)) return;
        await target.make("deploy the stack", ["up"]);
    },
};
