import type { V1Probe } from "@kubernetes/client-node";
import { Type } from "typebox";
import { containerRule } from "../../engine/rule.ts";
import { actsAfter, probesOf } from "../../kubernetes/probes.ts";
import { hasty, late, timing } from "./timing.ts";

const MOST =
    "most seconds of failing, failureThreshold × periodSeconds, or timeoutSeconds where that is longer";

export const probeTiming = containerRule({
    name: "probe-timing",
    title: "Probes act soon, and take a pod out of traffic before they kill it.",
    why: "What no longer answers keeps its traffic for longer than anybody meant, or is killed with requests in it.",
    severity: "medium",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes",
    settings: { longest: Type.Integer({ default: 60, minimum: 1, description: MOST }) },
    *check(container, { longest }) {
        for (const { field, spec } of probesOf(container)) {
            // A start may take as long as it has to; a slow answer only prolongs it.
            if (field === "startupProbe") continue;
            const after = actsAfter(spec);
            if (after <= longest) continue;
            const { timeoutSeconds: timeout = 1, periodSeconds: period = 10 } = spec;
            const periodSeconds = Math.min(period, longest);
            const timeoutSeconds = Math.min(timeout, longest);
            const failureThreshold = Math.max(1, Math.floor(longest / Math.max(period, timeout)));
            yield {
                what: late(field, after, longest),
                at: `${field}.failureThreshold`,
                isMissing: leavesOut(spec),
                fix: { [field]: { periodSeconds, timeoutSeconds, failureThreshold } },
            };
        }
        const { livenessProbe: liveness, readinessProbe: readiness } = container.spec;
        if (!liveness || !readiness || actsAfter(liveness) >= actsAfter(readiness)) return;
        const [kills, takesOut] = [actsAfter(liveness), actsAfter(readiness)];
        const failureThreshold = Math.ceil(takesOut / (liveness.periodSeconds ?? 10));
        yield {
            what: hasty(kills, takesOut),
            at: "livenessProbe.failureThreshold",
            isMissing: leavesOut(liveness) || leavesOut(readiness),
            fix: { livenessProbe: { failureThreshold } },
        };
    },
    admission: ({ longest }) => timing(longest),
});

/** A Patch that does may mean other values than the defaults. */
function leavesOut({ timeoutSeconds, periodSeconds, failureThreshold }: V1Probe): boolean {
    return [timeoutSeconds, periodSeconds, failureThreshold].includes(undefined);
}
