import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { NAME, deployment, object } from "../../test/support/manifests.ts";
import { autoscalerMetric } from "./rule.ts";

const QUERY = "sum(rate(misses_total[1m]))";
const HPA = "HorizontalPodAutoscaler";
const keda = (query: string, change: Json = {}, metadata: Json = {}, trigger: Json = {}) =>
    object("keda.sh/v1alpha1", "ScaledObject", {
        spec: {
            scaleTargetRef: { name: NAME },
            minReplicaCount: 2,
            maxReplicaCount: 9,
            triggers: [
                {
                    type: "prometheus",
                    metadata: { query, threshold: "20", ...metadata },
                    ...trigger,
                },
                { type: "cpu", metricType: "Utilization", metadata: { value: "70" } },
            ],
            ...change,
        },
    });
const hpa = (...metrics: readonly Json[]) =>
    object("autoscaling/v2", HPA, {
        spec: { scaleTargetRef: { kind: "Deployment", name: NAME }, maxReplicas: 9, metrics },
    });
const metric = (type: string, name: string, target = "AverageValue") => ({
    type,
    [type.toLowerCase()]: { metric: { name }, target: { type: target } },
});
const bounds = (minReplicas: number, maxReplicas: number) =>
    object("autoscaling/v2", HPA, {
        spec: { scaleTargetRef: { kind: "Deployment", name: NAME }, minReplicas, maxReplicas },
    });
const of = (name: string, kind = "Deployment") => ({ scaleTargetRef: { kind, name } });
const rules = { groups: [{ name: "x", rules: [{ record: "job:misses:rate1m", expr: QUERY }] }] };
const recorded = keda("sum(job:misses:rate1m)");
const settings = { metrics: ["misses_*"] };
const whole = { requireOutageHandling: true };
const RATIO = "by the number of pods, although it is a ratio";

describeRule(autoscalerMetric, {
    compliant: {
        "an amount that is shared out": { objects: [deployment(), keda(QUERY)], settings },
        "one that a rule records": {
            objects: [
                recorded,
                object("monitoring.coreos.com/v1", "PrometheusRule", { spec: rules }),
            ],
            settings,
        },
        "one that a rule in a file records, of YAML or JSON": {
            objects: [
                recorded,
                keda("job:hits:rate1m", of("other")),
                object("v1", "ConfigMap", {
                    data: {
                        "a.yml": "rules:\n  - record: job:misses:rate1m\n    expr: x",
                        "b.json": '{"rules": [{"record": "job:hits:rate1m"}]}',
                    },
                }),
            ],
            settings,
        },
        "any metric, and any outage, by default": { objects: [keda("sum(somewhat)")] },
        "one that says what to do in an outage": {
            objects: [keda(QUERY, { fallback: { replicas: 3 } }, { ignoreNullValues: "false" })],
            settings: whole,
        },
        "no Prometheus, and no outage of it": {
            objects: [
                object("keda.sh/v1alpha1", "ScaledObject", {
                    spec: { triggers: [{ type: "kafka", metadata: { lagThreshold: "5" } }] },
                }),
                hpa(),
            ],
            settings: whole,
        },
        "a ratio that is not shared out": {
            objects: [
                keda("a / b", {}, {}, { metricType: "Value" }),
                keda("a / b", {
                    ...of("another"),
                    advanced: { scalingModifiers: { formula: "x + 1" } },
                    minReplicaCount: 0,
                }),
            ],
        },
        "how much each pod is used": {
            objects: [
                hpa(
                    metric("Pods", "worker_utilization"),
                    metric("Pods", "misses_per_second"),
                    metric("External", "queue_length"),
                    metric("External", "hit_rate", "Value"),
                    {
                        type: "Resource",
                        resource: { name: "cpu", target: { type: "Utilization" } },
                    },
                ),
            ],
        },
        "a target outside the stack": {
            objects: [keda(QUERY, of("elsewhere")), hpa()],
        },
        "something that an operator makes": {
            objects: [
                deployment(),
                object("example.com/v1", "Database"),
                keda(QUERY, of("database", "StatefulSet")),
            ],
        },
        "a kind that only its operator knows": {
            objects: [deployment(), keda(QUERY, of("database", "Database"))],
        },
    },
    violating: {
        "a quotient, by default divided once more": {
            objects: [keda("sum(hits) / sum(lookups)")],
            says: [
                `ScaledObject search/service: divides sum(hits) / sum(lookups) ${RATIO} (spec.triggers[0].metadata.query)`,
            ],
        },
        "a metric that is a ratio by its name": {
            objects: [keda("avg(cache_hit_rate)")],
            says: [
                `ScaledObject search/service: divides cache_hit_rate ${RATIO} (spec.triggers[0].metadata.query)`,
            ],
        },
        "a ratio of an API of metrics": {
            objects: [
                hpa(
                    metric("Pods", "cacheHitRate"),
                    metric("External", "cpu:utilization"),
                    metric("Object", "success-percentage"),
                ),
            ],
            says: ["cacheHitRate", "cpu:utilization", "success-percentage"].map(
                (name, index) =>
                    `${HPA} search/service: divides ${name} ${RATIO} (spec.metrics[${index}].${["pods", "external", "object"][index]})`,
            ),
        },
        "a metric that is not exported": {
            objects: [keda("sum(rate(mises_total[1m]))")],
            settings,
            says: [
                "ScaledObject search/service: queries mises_total, which is neither exported nor recorded (spec.triggers[0].metadata.query)",
            ],
        },
        "an outage that counts as no load": {
            objects: [keda(QUERY), keda(QUERY, of("other"), { ignoreNullValues: "true" })],
            settings: whole,
            says: [0, 1].flatMap(() => [
                "ScaledObject search/service: treats a missing result from Prometheus as no load (spec.triggers[0].metadata.ignoreNullValues)",
                "ScaledObject search/service: has no fallback for an outage of Prometheus (spec.fallback)",
            ]),
        },
        "fewest that are more than the most": {
            objects: [
                bounds(4, 3),
                keda(QUERY, { ...of("other"), minReplicaCount: 101, maxReplicaCount: 100 }),
            ],
            says: [
                `${HPA} search/service: has minReplicas of 4, above its maxReplicas of 3 (spec.maxReplicas)`,
                "ScaledObject search/service: has minReplicaCount of 101, above its maxReplicaCount of 100 (spec.maxReplicaCount)",
            ],
        },
        "scaling to zero, except by KEDA": {
            objects: [bounds(0, 3), keda(QUERY, { ...of("other"), minReplicaCount: 0 })],
            says: [
                `${HPA} search/service: has minReplicas of 0; allowed only in a ScaledObject (spec.minReplicas)`,
            ],
        },
        "nothing that it could scale": {
            objects: [
                deployment(),
                keda(QUERY, of("servce")),
                keda(QUERY, of(NAME, "StatefulSet")),
            ],
            says: [
                "ScaledObject search/service: scales Deployment search/servce, which does not exist (spec.scaleTargetRef)",
                "ScaledObject search/service: scales StatefulSet search/service, which does not exist (spec.scaleTargetRef)",
            ],
        },
        "two for the same": {
            objects: [deployment(), keda(QUERY), bounds(2, 4)],
            says: [
                `ScaledObject search/service: scales Deployment service, which ${HPA} service also scales (spec.scaleTargetRef)`,
                `${HPA} search/service: scales Deployment service, which ScaledObject service also scales (spec.scaleTargetRef)`,
            ],
        },
    },
    needs: {
        case: "two for the same",
        fields: [
            "1/spec/triggers/0/metadata/query",
            "2/spec/scaleTargetRef/name",
            "2/spec/minReplicas",
        ],
    },
    ignores: {
        case: "a metric that is not exported",
        fields: ["0/spec/triggers/0/metadata/threshold", "0/spec/triggers/1/metadata/value"],
    },
});
