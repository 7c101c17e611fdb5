import type { Json } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import {
    LABELS,
    NAME,
    deployment,
    object,
    ofEachKind,
    podSpec,
} from "../../test/support/manifests.ts";
import { disruptionBudget } from "./rule.ts";

const { StatefulSet, DaemonSet } = ofEachKind(podSpec());
const BUDGET = "PodDisruptionBudget";
const budget = (spec: Json, selector: unknown = { matchLabels: LABELS }) =>
    object("policy/v1", BUDGET, { spec: { ...spec, selector } });
const named = (name: string, spec: Json) => ({
    ...budget(spec),
    metadata: { name, namespace: "search" },
});
const three = deployment(podSpec(), { replicas: 3 });
const scaler = object("autoscaling/v2", "HorizontalPodAutoscaler", {
    spec: { scaleTargetRef: { kind: "Deployment", name: NAME }, minReplicas: 2, maxReplicas: 9 },
});
const unset = deployment(podSpec(), { replicas: undefined });
const prometheus = object("monitoring.coreos.com/v1", "Prometheus", { spec: { replicas: 2 } });
const AT = "(spec.template.metadata.labels)";

describeRule(disruptionBudget, {
    compliant: {
        "one unavailable pod allowed": { objects: [deployment(), budget({ maxUnavailable: 1 })] },
        "all but one that have to stay": { objects: [three, budget({ minAvailable: 2 })] },
        "a share that leaves one free": { objects: [three, budget({ minAvailable: "60%" })] },
        "the smallest share, which is rounded up": {
            objects: [three, budget({ maxUnavailable: "1%" })],
        },
        "a single one, with a budget or without": {
            objects: [StatefulSet, budget({ maxUnavailable: 1 })],
        },
        "pods that something else makes": {
            objects: [budget({ minAvailable: 1 }, { matchLabels: { app: "elsewhere" } })],
        },
        "pods that an operator creates": {
            objects: [
                StatefulSet,
                prometheus,
                budget({ minAvailable: 1 }, { matchLabels: { app: "x" } }),
            ],
        },
        "pods that have no number": { objects: [DaemonSet, budget({ minAvailable: 1 })] },
        "neither, which allows all evictions": { objects: [deployment(), budget({})] },
    },
    violating: {
        "two replicas without one": {
            objects: [deployment(), object("v1", "Service")],
            says: [
                `Deployment search/service: has 2 replicas or more, but no ${BUDGET} selects them ${AT}`,
            ],
        },
        "those of an autoscaler without one": {
            objects: [unset, scaler, budget({ maxUnavailable: 1 }, { matchLabels: { app: "x" } })],
            says: [
                `Deployment search/service: has 2 replicas or more, but no ${BUDGET} selects them ${AT}`,
                `${BUDGET} search/service: selects no pod (spec.selector)`,
            ],
        },
        "two for the same pods": {
            objects: [
                deployment(),
                named("one", { maxUnavailable: 1 }),
                named("two", { minAvailable: 1 }),
            ],
            says: [
                `Deployment search/service: is selected by 2 ${BUDGET}s (one, two), which block every eviction ${AT}`,
            ],
        },
        "no unavailable pod allowed": {
            objects: [deployment(), budget({ maxUnavailable: 0 })],
            says: [
                `${BUDGET} search/service: allows no eviction: maxUnavailable is 0 of 2 replicas (spec.maxUnavailable)`,
            ],
        },
        "a share of none, whatever it is of": {
            objects: [budget({ maxUnavailable: "0%" })],
            says: [
                `${BUDGET} search/service: allows no eviction: maxUnavailable is 0% (spec.maxUnavailable)`,
            ],
        },
        "all that have to stay": {
            objects: [unset, scaler, budget({ minAvailable: 2 })],
            says: [
                `${BUDGET} search/service: allows no eviction: minAvailable is 2 of 2 replicas (spec.minAvailable)`,
            ],
        },
        "a share that is all of them, rounded up": {
            objects: [deployment(), budget({ minAvailable: "51%" })],
            says: [
                `${BUDGET} search/service: allows no eviction: minAvailable is 51% of 2 replicas (spec.minAvailable)`,
            ],
        },
        "a selector that is not there": {
            objects: [
                StatefulSet,
                object("policy/v1", BUDGET, { spec: { maxUnavailable: 1 } }),
                object("monitoring.coreos.com/v1", "ServiceMonitor"),
            ],
            says: [`${BUDGET} search/service: selects no pod (spec.selector)`],
        },
    },
    needs: {
        case: "all that have to stay",
        fields: [
            "0/spec/template/metadata/labels/app.kubernetes.io~1name",
            "1/spec/minReplicas",
            "2/spec/minAvailable",
            "2/spec/selector",
        ],
    },
    ignores: {
        case: "all that have to stay",
        fields: ["0/spec/template/spec/containers", "1/spec/maxReplicas"],
    },
});
