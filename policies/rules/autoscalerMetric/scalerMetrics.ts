import { json, list, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import { ratioIn } from "./promql.ts";

/** Names of ratios over all pods together, which an additional pod does not decrease. */
const OF_ALL = /(^|_)((hit|miss|success)_rate|ratio|percent|percentage|pct|utili[sz]ation)(_|$)/;
/** Names of ratios per pod, except utilisation, which an additional pod decreases. */
const OF_EACH = /(^|_)(hit|miss|success|error|failure)_(rate|ratio|percent|percentage|pct)(_|$)/;

/** A Prometheus query of a KEDA trigger. */
export interface Trigger {
    /** Such as `spec.triggers[0].metadata`. */
    readonly at: string;
    readonly query: string;
    /** Whether KEDA divides the result by the number of pods. */
    readonly isShared: boolean;
    /** Whether a missing result counts as 0, KEDA's default, rather than as a failure. */
    readonly ignoresNulls: boolean;
}

export function triggersOf({ body }: KubernetesObject): Trigger[] {
    const { triggers, advanced } = json(body.spec);
    return list(triggers).flatMap(({ type, metricType = "AverageValue", metadata }, index) => {
        if (type !== "prometheus") return [];
        const { query, ignoreNullValues = "true" } = json(metadata);
        // A formula combines several results into the value to scale on.
        const { formula } = json(json(advanced).scalingModifiers);
        return {
            at: `spec.triggers[${index}].metadata`,
            query: String(query),
            isShared: metricType === "AverageValue" && formula === undefined,
            ignoresNulls: String(ignoreNullValues) !== "false",
        };
    });
}

/** A ratio that is divided by the number of pods, and its location. */
export interface SharedRatio {
    readonly at: string;
    readonly ratio: string;
}

/** Finds ratios in KEDA's queries and in the metrics of a HorizontalPodAutoscaler. */
export function* sharedRatios(scaler: KubernetesObject): Generator<SharedRatio> {
    for (const { at, query, isShared } of triggersOf(scaler)) {
        const ratio = isShared ? ratioIn(query, (name) => OF_ALL.test(inWords(name))) : undefined;
        if (ratio !== undefined) yield { at: `${at}.query`, ratio };
    }
    for (const [index, metric] of list(json(scaler.body.spec).metrics).entries()) {
        const field = String(metric.type).toLowerCase();
        const { metric: identifier, target } = json(metric[field]);
        if (identifier === undefined || json(target).type !== "AverageValue") continue;
        const ratio = String(json(identifier).name);
        const names = field === "pods" ? OF_EACH : OF_ALL;
        if (names.test(inWords(ratio))) yield { at: `spec.metrics[${index}].${field}`, ratio };
    }
}

/** Converts `cacheHitRate`, `cache-hit-rate` and `cache:hit:rate` to `cache_hit_rate`. */
function inWords(name: string): string {
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
        .of("PrometheusRule")
        .some(({ body }) =>
            list(json(body.spec).groups).some(({ rules }) =>
                list(rules).some(({ record }) => record === metric),
            ),
        );
    return (
        inRules ||
        stack
            .of("ConfigMap")
            .some(({ body }) =>
                Object.values(json(body.data)).some((text) =>
                    [...String(text).matchAll(RECORD)].some(
                        ({ groups }) => groups?.name === metric,
                    ),
                ),
            )
    );
}
