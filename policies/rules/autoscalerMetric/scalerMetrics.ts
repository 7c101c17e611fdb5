import { asJson, asList, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import { findRatio } from "./promql.ts";

/** Names of ratios over all pods together, which an additional pod does not decrease. */
const TOTAL_RATIO =
    /(^|_)((hit|miss|success)_rate|ratio|percent|percentage|pct|utili[sz]ation)(_|$)/;
/** Names of ratios per pod, except utilisation, which an additional pod decreases. */
const POD_RATIO = /(^|_)(hit|miss|success|error|failure)_(rate|ratio|percent|percentage|pct)(_|$)/;

/** A Prometheus query of a KEDA trigger. */
export interface Trigger {
    /** Such as `spec.triggers[0].metadata`. */
    readonly path: string;
    readonly query: string;
    /** Whether KEDA divides the result by the number of pods. */
    readonly isDividedByPods: boolean;
    /** Whether a missing result counts as 0, KEDA's default, rather than as a failure. */
    readonly ignoresNulls: boolean;
}

export function listTriggers({ body }: KubernetesObject): Trigger[] {
    const { triggers, advanced } = asJson(body.spec);
    return asList(triggers).flatMap(({ type, metricType = "AverageValue", metadata }, index) => {
        if (type !== "prometheus") return [];
        const { query, ignoreNullValues = "true" } = asJson(metadata);
        // A formula combines several results into the value to scale on.
        const { formula } = asJson(asJson(advanced).scalingModifiers);
        return {
            path: `spec.triggers[${index}].metadata`,
            query: String(query),
            isDividedByPods: metricType === "AverageValue" && formula === undefined,
            ignoresNulls: String(ignoreNullValues) !== "false",
        };
    });
}

/** A ratio that is divided by the number of pods, and its location. */
export interface DividedRatio {
    readonly path: string;
    readonly ratio: string;
}

/** Finds ratios in KEDA's queries and in the metrics of a HorizontalPodAutoscaler. */
export function* findDividedRatios(scaler: KubernetesObject): Generator<DividedRatio> {
    for (const { path, query, isDividedByPods } of listTriggers(scaler)) {
        const ratio = isDividedByPods
            ? findRatio(query, (name) => TOTAL_RATIO.test(toSnakeCase(name)))
            : undefined;
        if (ratio !== undefined) yield { path: `${path}.query`, ratio };
    }
    for (const [index, metric] of asList(asJson(scaler.body.spec).metrics).entries()) {
        const field = String(metric.type).toLowerCase();
        const { metric: identifier, target } = asJson(metric[field]);
        if (identifier === undefined || asJson(target).type !== "AverageValue") continue;
        const ratio = String(asJson(identifier).name);
        const names = field === "pods" ? POD_RATIO : TOTAL_RATIO;
        if (names.test(toSnakeCase(ratio)))
            yield { path: `spec.metrics[${index}].${field}`, ratio };
    }
}

/** Converts `cacheHitRate`, `cache-hit-rate` and `cache:hit:rate` to `cache_hit_rate`. */
function toSnakeCase(name: string): string {
    return name
        .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
        .replaceAll(/[^A-Za-z0-9]/g, "_")
        .toLowerCase();
}

/** A recording rule, in JSON or YAML. */
const RECORD = /\brecord"?:\s*["']?(?<name>[A-Za-z_:][\w:]*)/g;

/** Whether a rule of the stack records a metric: a PrometheusRule, or a file in a ConfigMap. */
export function isRecorded(metric: string, stack: Stack): boolean {
    const inRules = stack
        .ofKind("PrometheusRule")
        .some(({ body }) =>
            asList(asJson(body.spec).groups).some(({ rules }) =>
                asList(rules).some(({ record }) => record === metric),
            ),
        );
    return (
        inRules ||
        stack
            .ofKind("ConfigMap")
            .some(({ body }) =>
                Object.values(asJson(body.data)).some((text) =>
                    [...String(text).matchAll(RECORD)].some(
                        ({ groups }) => groups?.name === metric,
                    ),
                ),
            )
    );
}
