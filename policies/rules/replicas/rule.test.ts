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
import { replicas } from "./rule.ts";

const { StatefulSet, Rollout, DaemonSet, Job } = ofEachKind(podSpec());
const service = object("v1", "Service", { spec: { selector: LABELS, ports: [{ port: 80 }] } });
const scaledBy = (spec: Json, kind = "Deployment") =>
    object("autoscaling/v2", "HorizontalPodAutoscaler", {
        spec: { scaleTargetRef: { kind, name: NAME }, maxReplicas: 9, ...spec },
    });
const keda = (spec: Json) =>
    object("keda.sh/v1alpha1", "ScaledObject", {
        spec: { scaleTargetRef: { name: NAME }, ...spec },
    });
const unset = deployment(podSpec(), { replicas: undefined });
const single = deployment(podSpec(), { replicas: 1 });
const settings = { min: 2 };

describeRule(replicas, {
    compliant: {
        "two replicas": { objects: [service, deployment()], settings },
        "one, where one is enough": { objects: [service, single, StatefulSet] },
        "one that no Service leads to": {
            objects: [
                single,
                StatefulSet,
                object("v1", "Service", { spec: { selector: { app: "another" } } }),
                object("v1", "Service", { spec: { type: "ExternalName" } }),
            ],
            settings,
        },
        "no replica count with an autoscaler": {
            objects: [service, unset, scaledBy({ minReplicas: 2 })],
            settings,
        },
        "no replica count with KEDA": {
            objects: [service, unset, keda({ minReplicaCount: 2 })],
            settings,
        },
        "an autoscaler of something that is not shown": {
            objects: [service, deployment(), scaledBy({}, "StatefulSet")],
            settings,
        },
        "one that goes down to nothing, and that no Service leads to": {
            objects: [unset, keda({})],
            settings,
        },
        "what has no number of replicas": { objects: [service, DaemonSet, Job], settings },
    },
    violating: {
        "a single one, of every kind": {
            objects: [service, single, StatefulSet, Rollout],
            settings,
            says: ["Deployment", "StatefulSet", "Rollout"].map(
                (kind) => `${kind} search/service: has 1 replica, fewer than 2 (spec.replicas)`,
            ),
        },
        "none, by default": {
            objects: [service, deployment(podSpec(), { replicas: 0 })],
            says: ["Deployment search/service: has 0 replicas, fewer than 1 (spec.replicas)"],
        },
        "a replica count with an autoscaler": {
            objects: [deployment(), scaledBy({ minReplicas: 2 })],
            says: [
                "Deployment search/service: sets spec.replicas to 2, although HorizontalPodAutoscaler search/service controls it (spec.replicas)",
            ],
        },
        "an autoscaler that goes down to its default of one": {
            objects: [service, unset, scaledBy({})],
            settings,
            says: [
                "HorizontalPodAutoscaler search/service: lets Deployment search/service scale down to 1 replica, fewer than 2 (spec.minReplicas)",
            ],
        },
        "KEDA's that goes down to nothing, by default or when idle": {
            objects: [service, unset, keda({}), keda({ minReplicaCount: 2, idleReplicaCount: 0 })],
            says: ["minReplicaCount", "idleReplicaCount"].map(
                (field) =>
                    `ScaledObject search/service: lets Deployment search/service scale down to 0 replicas, fewer than 1 (spec.${field})`,
            ),
        },
    },
    needs: {
        case: "a replica count with an autoscaler",
        fields: [
            "0/spec/replicas",
            "0/metadata/name",
            "1/spec/scaleTargetRef/name",
            "1/metadata/namespace",
        ],
    },
    ignores: {
        case: "an autoscaler that goes down to its default of one",
        fields: ["1/spec/template/spec/containers", "2/spec/maxReplicas", "0/spec/ports"],
    },
});
