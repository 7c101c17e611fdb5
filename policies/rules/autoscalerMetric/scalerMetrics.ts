import { json, list, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import { ratioIn } from "./promql.ts";

/** Names of what is a ratio of all pods together, which no pod more makes smaller. */
const OF_ALL = /(^|_)((hit|miss|success)_rate|ratio|percent|percentage|pct|utili[sz]ation)(_|$)/;
/** Of each pod by itself: not how much it is used, which becomes less with every pod. */
const OF_EACH = /(^|_)(hit|miss|success|error|failure)_(rate|ratio|percent|percentage|pct)(_|$)/;

/** A query for Prometheus, as KEDA asks it. */
export interface Trigger {
    /** Such as `spec.triggers[0].metadata`. */
    readonly at: string;
    readonly query: string;
    /** Whether KEDA divides the answer by the pods. */
    readonly isShared: boolean;
    /** What no answer counts as: nothing, KEDA's default, or a failure. */
    readonly ignoresNulls: boolean;
}

export function triggersOf({ body }: KubernetesObject): Trigger[] {
    const { triggers, advanced } = json(body.spec);
    return list(triggers).flatMap(({ type, metricType = "AverageValue", metadata }, index) => {
        if (type !== "prometheus") return [];
        const { query, ignoreNullValues = "true" } = json(metadata);
        // A formula makes of several answers what is scaled on.
        const { formula } = json(json(advanced).scalingModifiers);
        return {
            at: `spec.triggers[${index}].metadata`,
            query: String(query),
            isShared: metricType === "AverageValue" && formula === undefined,
            ignoresNulls: String(ignoreNullValues) !== "false",
        };
    });
}

/** A ratio that is divided by the pods, and where it is asked for. */
export interface SharedRatio {
    readonly at: string;
    readonly ratio: string;
}

/** Of KEDA's queries, and of the metrics that a HorizontalPodAutoscaler asks its APIs for. */
export function* sharedRatios(scaler: KubernetesObject): Generator<SharedRatio> {
    for (const { at, query, isShared } of triggersOf(scaler)) {
        const ratio = isShared ? ratioIn(query, (name) => OF_ALL.test(inWords(name))) : undefined;
        if (ratio !== undefined) yield { at: `${at}.query`, ratio };
    }
    for (const [index, metric] of list(json(scaler.body.spec).metrics).entries()) {
        const field = String(metric.type).toLowerCase();
        const { metric: asked, target } = json(metric[field]);
        if (asked === undefined || json(target).type !== "AverageValue") continue;
        const ratio = String(json(asked).name);
        const names = field === "pods" ? OF_EACH : OF_ALL;
        if (names.test(inWords(ratio))) yield { at: `spec.metrics[${index}].${field}`, ratio };
    }
}

/** `cacheHitRate`, `cache-hit-rate` and `cache:hit:rate` are all cache_hit_rate. */
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
