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
import { topologySpread } from "./rule.ts";

const AT = "spec.template.spec.topologySpreadConstraints";
const settings = { required: true, perRevision: true };
const spread = (...topologySpreadConstraints: readonly Json[]) =>
    deployment(podSpec({ topologySpreadConstraints }));
const constraint = (change: Json) => ({
    maxSkew: 1,
    topologyKey: "topology.kubernetes.io/zone",
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: LABELS },
    ...change,
});
const apart = (podAntiAffinity: Json) =>
    deployment(podSpec({ topologySpreadConstraints: undefined, affinity: { podAntiAffinity } }));
const term = (matchLabels: Json) => ({
    topologyKey: "kubernetes.io/hostname",
    labelSelector: { matchLabels },
});
const bare = podSpec({ topologySpreadConstraints: [] });
const several = (kind: "StatefulSet" | "Rollout") => {
    const one = ofEachKind(bare)[kind];
    return { ...one, spec: { ...(one.spec as Json), replicas: 3 } };
};
const scaler = object("autoscaling/v2", "HorizontalPodAutoscaler", {
    spec: { scaleTargetRef: { kind: "Deployment", name: NAME }, minReplicas: 2, maxReplicas: 9 },
});

describeRule(topologySpread, {
    compliant: {
        "a revision on its own": { objects: [deployment()], settings },
        "pods that keep apart": {
            objects: [
                apart({ requiredDuringSchedulingIgnoredDuringExecution: [term(LABELS)] }),
                apart({
                    preferredDuringSchedulingIgnoredDuringExecution: [
                        { weight: 100, podAffinityTerm: term(LABELS) },
                    ],
                }),
            ],
            settings,
        },
        "all pods alike, by default": { objects: [spread(constraint({}))] },
        "the scheduler's default spreading": { objects: [deployment(bare)] },
        "a single one": { objects: [ofEachKind(bare).StatefulSet], settings },
        "what has no number of replicas": { objects: [ofEachKind(bare).DaemonSet], settings },
        "a StatefulSet without revisions": {
            objects: [
                {
                    ...several("StatefulSet"),
                    spec: {
                        replicas: 3,
                        template: {
                            metadata: { labels: LABELS },
                            spec: podSpec({ topologySpreadConstraints: [constraint({})] }),
                        },
                    },
                },
            ],
            settings,
        },
    },
    violating: {
        "nothing that spreads, in every kind": {
            objects: [deployment(bare), several("StatefulSet"), several("Rollout")],
            settings,
            says: [
                `Deployment search/service: has 2 replicas or more that may all run on one node (${AT})`,
                `StatefulSet search/service: has 3 replicas or more that may all run on one node (${AT})`,
                `Rollout search/service: has 3 replicas or more that may all run on one node (${AT})`,
            ],
        },
        "as many as the autoscaler leaves, apart from others only": {
            objects: [
                apart({
                    requiredDuringSchedulingIgnoredDuringExecution: [
                        term({ "app.kubernetes.io/name": "other" }),
                    ],
                }),
                scaler,
            ],
            settings,
            says: [
                `Deployment search/service: has 2 replicas or more that may all run on one node (${AT})`,
            ],
        },
        "a selector of other pods, or none": {
            objects: [
                spread(constraint({ labelSelector: { matchLabels: { app: "other" } } }), {
                    maxSkew: 1,
                    topologyKey: "kubernetes.io/hostname",
                }),
            ],
            says: [0, 1].map(
                (index) =>
                    `Deployment search/service: is spread by a selector that does not match its pods (${AT}[${index}].labelSelector)`,
            ),
        },
        "all revisions together": {
            objects: [
                spread(
                    constraint({ matchLabelKeys: ["pod-template-hash"] }),
                    constraint({ topologyKey: "kubernetes.io/hostname" }),
                ),
            ],
            settings,
            says: [
                `Deployment search/service: is spread together with pods of other revisions: matchLabelKeys lacks pod-template-hash (${AT}[1].matchLabelKeys)`,
            ],
        },
    },
    needs: {
        case: "as many as the autoscaler leaves, apart from others only",
        fields: [
            "0/spec/template/spec/affinity",
            "1/spec/minReplicas",
            "0/spec/template/metadata/labels/app.kubernetes.io~1name",
        ],
    },
    ignores: {
        case: "all revisions together",
        fields: [
            "0/spec/template/spec/containers",
            "0/spec/template/spec/topologySpreadConstraints/0/maxSkew",
            "0/spec/template/spec/topologySpreadConstraints/0/topologyKey",
        ],
    },
});
