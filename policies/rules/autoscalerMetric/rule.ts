import { Type } from "typebox";
import { glob } from "../../cel/glob.ts";
import { stackRule } from "../../engine/rule.ts";
import { json } from "../../kubernetes/object.ts";
import { SCALERS } from "../../kubernetes/scalers.ts";
import { metricsOf } from "./promql.ts";
import { isRecorded, sharedRatios, triggersOf } from "./scalerMetrics.ts";
import { hindrances } from "./scalerTargets.ts";

export const autoscalerMetric = stackRule({
    name: "autoscaler-metric",
    title: "One autoscaler aims at a workload that is there, on an amount that is measured and that its pods share out.",
    why: "A ratio does not shrink with every pod that comes, so it scales to one end and stays there; and what is not measured counts as no load.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details",
    settings: {
        metrics: Type.Array(Type.String(), {
            default: [],
            description: "globs of metrics that are exported; with none, any may be",
        }),
        outages: Type.Boolean({
            default: false,
            description: "whether KEDA has to be told what to do while Prometheus says nothing",
        }),
    },
    kinds: SCALERS,
    *check(scaler, stack, { metrics, outages }) {
        yield* hindrances(scaler, stack);
        for (const { at, ratio } of sharedRatios(scaler)) {
            const what = `divides ${ratio} by its pods, which is a ratio and not theirs to share`;
            yield { what, at, fix: "query: sum(rate(requests_total[2m])) # work, of all pods" };
        }
        const triggers = triggersOf(scaler);
        for (const { at, query, ignoresNulls } of triggers) {
            const isKnown = (name: string) =>
                metrics.some((one) => glob(one, name)) || isRecorded(name, stack);
            for (const name of metrics.length > 0 ? metricsOf(query) : []) {
                if (isKnown(name)) continue;
                const what = `asks for ${name}, which nobody exports or records`;
                yield { what, at: `${at}.query`, fix: { query: `sum(rate(${metrics[0]}[2m]))` } };
            }
            if (!outages || !ignoresNulls) continue;
            const what = "takes no answer of Prometheus for no load";
            yield { what, at: `${at}.ignoreNullValues`, fix: { ignoreNullValues: "false" } };
        }
        const { fallback } = json(scaler.body.spec);
        if (!outages || triggers.length === 0 || fallback !== undefined) return;
        const fix = { fallback: { failureThreshold: 3, replicas: 3, behavior: "currentReplicas" } };
        const what = "has no fallback for when Prometheus is away";
        yield { what, at: "spec.fallback", isMissing: true, fix };
    },
});
