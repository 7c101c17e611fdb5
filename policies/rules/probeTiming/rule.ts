import type { V1Probe } from "@kubernetes/client-node";
import { Type } from "typebox";
import { containerRule } from "../../engine/rule.ts";
import { secondsUntilAction, listProbes } from "../../kubernetes/probes.ts";
import { livenessBeforeReadiness, tooLate, timingChecks } from "./timing.ts";

const MAX_SECONDS =
    "maximum seconds until a probe acts: failureThreshold × the longer of periodSeconds and timeoutSeconds";

export const probeTiming = containerRule({
    name: "probe-timing",
    title: "Probes act within a time limit, and readiness acts before liveness.",
    why: "Otherwise a pod that does not respond keeps its traffic for too long, or is killed while it processes requests.",
    severity: "medium",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes",
    settings: { maxSeconds: Type.Integer({ default: 60, minimum: 1, description: MAX_SECONDS }) },
    *check(container, { maxSeconds }) {
        for (const { field, spec } of listProbes(container)) {
            // A start may take as long as necessary.
            if (field === "startupProbe") continue;
            const after = secondsUntilAction(spec);
            if (after <= maxSeconds) continue;
            const { timeoutSeconds: timeout = 1, periodSeconds: period = 10 } = spec;
            const periodSeconds = Math.min(period, maxSeconds);
            const timeoutSeconds = Math.min(timeout, maxSeconds);
            const failureThreshold = Math.max(
                1,
                Math.floor(maxSeconds / Math.max(period, timeout)),
            );
            yield {
                message: tooLate(field, after, maxSeconds),
                path: `${field}.failureThreshold`,
                isMissing: usesDefaults(spec),
                fix: { [field]: { periodSeconds, timeoutSeconds, failureThreshold } },
            };
        }
        const { livenessProbe: liveness, readinessProbe: readiness } = container.spec;
        if (
            !liveness ||
            !readiness ||
            secondsUntilAction(liveness) >= secondsUntilAction(readiness)
        )
            return;
        const [kills, takesOut] = [secondsUntilAction(liveness), secondsUntilAction(readiness)];
        const failureThreshold = Math.ceil(takesOut / (liveness.periodSeconds ?? 10));
        yield {
            message: livenessBeforeReadiness(kills, takesOut),
            path: "livenessProbe.failureThreshold",
            isMissing: usesDefaults(liveness) || usesDefaults(readiness),
            fix: { livenessProbe: { failureThreshold } },
        };
    },
    admission: ({ maxSeconds }) => timingChecks(maxSeconds),
});

/** In a Patch, a missing field may have a value other than the default. */
function usesDefaults({ timeoutSeconds, periodSeconds, failureThreshold }: V1Probe): boolean {
    return [timeoutSeconds, periodSeconds, failureThreshold].includes(undefined);
}
