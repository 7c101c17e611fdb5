import type { V1Probe } from "@kubernetes/client-node";
import { Type } from "typebox";
import { actsAfter, probesOf } from "../core/probes.ts";
import { containerRule } from "../core/rule.ts";

export const probeTiming = containerRule({
    name: "probe-timing",
    title: "Probes time out within their period, act soon, and take a pod out of traffic before they kill it.",
    why: "What no longer answers keeps its traffic for longer than anybody meant, or is killed with requests in it.",
    severity: "medium",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes",
    settings: {
        longest: Type.Integer({
            default: 60,
            minimum: 1,
            description: "most seconds of failing, failureThreshold × periodSeconds",
        }),
    },
    *check(container, { longest }) {
        for (const { field, spec } of probesOf(container)) {
            // A start may take as long as it has to, and an answer that is slow then only prolongs it.
            if (field === "startupProbe") continue;
            const { timeoutSeconds: timeout = 1, periodSeconds: period = 10 } = spec;
            if (timeout >= period) {
                yield {
                    what: `has a ${field} with timeoutSeconds ${timeout}, not less than its periodSeconds ${period}`,
                    at: `${field}.timeoutSeconds`,
                    isMissing: leavesOut(spec, "timeoutSeconds", "periodSeconds"),
                    fix: { [field]: { periodSeconds: timeout + 1, timeoutSeconds: timeout } },
                };
            }
            const after = actsAfter(spec);
            if (after > longest) {
                const failureThreshold = Math.max(1, Math.floor(longest / period));
                yield {
                    what: `has a ${field} that acts after ${after} s (failureThreshold × periodSeconds); allowed: ${longest} s`,
                    at: `${field}.failureThreshold`,
                    isMissing: leavesOut(spec, "failureThreshold", "periodSeconds"),
                    fix: {
                        [field]: { periodSeconds: Math.min(period, longest), failureThreshold },
                    },
                };
            }
        }
        const { livenessProbe: liveness, readinessProbe: readiness } = container.spec;
        if (!liveness || !readiness || actsAfter(liveness) >= actsAfter(readiness)) return;
        const failureThreshold = Math.ceil(actsAfter(readiness) / (liveness.periodSeconds ?? 10));
        yield {
            what: `has a livenessProbe that acts after ${actsAfter(liveness)} s, sooner than its readinessProbe after ${actsAfter(readiness)} s`,
            at: "livenessProbe.failureThreshold",
            isMissing: [liveness, readiness].some((probe) =>
                leavesOut(probe, "failureThreshold", "periodSeconds"),
            ),
            fix: { livenessProbe: { failureThreshold } },
        };
    },
});

/** A Patch that does may mean another value than the default. */
function leavesOut(probe: V1Probe, ...fields: readonly (keyof V1Probe)[]): boolean {
    return fields.some((field) => probe[field] === undefined);
}
