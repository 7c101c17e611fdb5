import { Type } from "typebox";
import { matchesGlob } from "../../cel/glob.ts";
import { stackRule } from "../../engine/rule.ts";
import { asJson } from "../../kubernetes/object.ts";
import { SCALERS } from "../../kubernetes/scalers.ts";
import { listMetrics } from "./promql.ts";
import { isRecorded, findDividedRatios, listTriggers } from "./scalerMetrics.ts";
import { findTargetProblems } from "./scalerTargets.ts";

export const autoscalerMetric = stackRule({
    name: "autoscaler-metric",
    title: "An autoscaler targets an existing workload, is its only autoscaler, and uses an exported metric that decreases with each added pod.",
    why: "A ratio does not decrease when pods are added, so the workload scales to its minimum or maximum and stays there. A metric that is not exported counts as no load.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details",
    settings: {
        metrics: Type.Array(Type.String(), {
            default: [],
            description: "globs of exported metrics; if empty, all metrics are accepted",
        }),
        requireOutageHandling: Type.Boolean({
            default: false,
            description:
                "whether a ScaledObject must define its behaviour during an outage of Prometheus",
        }),
    },
    kinds: SCALERS,
    *check(scaler, stack, { metrics, requireOutageHandling }) {
        yield* findTargetProblems(scaler, stack);
        for (const { path, ratio } of findDividedRatios(scaler)) {
            const message = `divides ${ratio} by the number of pods, although it is a ratio`;
            yield { message, path, fix: "query: sum(rate(requests_total[2m])) # load of all pods" };
        }
        const triggers = listTriggers(scaler);
        for (const { path, query, ignoresNulls } of triggers) {
            const isKnown = (name: string) =>
                metrics.some((one) => matchesGlob(one, name)) || isRecorded(name, stack);
            for (const name of metrics.length > 0 ? listMetrics(query) : []) {
                if (isKnown(name)) continue;
                const message = `queries ${name}, which is neither exported nor recorded`;
                yield {
                    message,
                    path: `${path}.query`,
                    fix: { query: `sum(rate(${metrics[0]}[2m]))` },
                };
            }
            if (!requireOutageHandling || !ignoresNulls) continue;
            const message = "treats a missing result from Prometheus as no load";
            yield { message, path: `${path}.ignoreNullValues`, fix: { ignoreNullValues: "false" } };
        }
        const { fallback } = asJson(scaler.body.spec);
        if (!requireOutageHandling || triggers.length === 0 || fallback !== undefined) return;
        const fix = { fallback: { failureThreshold: 3, replicas: 3, behavior: "currentReplicas" } };
        const message = "has no fallback for an outage of Prometheus";
        yield { message, path: "spec.fallback", isMissing: true, fix };
    },
});
