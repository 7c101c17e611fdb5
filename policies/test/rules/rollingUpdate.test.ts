import { rollingUpdate } from "../../rules/rollingUpdate.ts";
import { describeRule } from "../support/describeRule.ts";
import { container, deployment, ofEachKind, podSpec } from "../support/manifests.ts";

const strategy = (rollingUpdate: object) =>
    deployment(podSpec(), { strategy: { type: "RollingUpdate", rollingUpdate } });
const WHERE = "Deployment search/service";
const ROLLING = "spec.strategy.rollingUpdate";
const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
const { StatefulSet, DaemonSet } = ofEachKind(podSpec());

describeRule(rollingUpdate, {
    compliant: {
        "one more pod, and none fewer": { objects: [deployment()] },
        percents: { objects: [strategy({ maxUnavailable: "0%", maxSurge: "25%" })] },
        "the default surge": { objects: [strategy({ maxUnavailable: 0 })] },
        "pods that nobody talks to": {
            objects: [deployment(podSpec({}, container({ ports: [] })), { strategy: undefined })],
        },
        "a volume that has to be handed over": {
            objects: [deployment(podSpec({ volumes }), { strategy: { type: "Recreate" } })],
        },
        "other kinds": { objects: [StatefulSet, DaemonSet] },
    },
    violating: {
        "all at once": {
            objects: [deployment(podSpec(), { strategy: { type: "Recreate" } })],
            says: [
                `${WHERE}: is updated by Recreate, which ends all pods first (spec.strategy.type)`,
            ],
        },
        "the default, which takes a quarter away": {
            objects: [deployment(podSpec(), { strategy: undefined })],
            says: [
                `${WHERE}: lets an update take away 25% of its pods; allowed: 0 (${ROLLING}.maxUnavailable)`,
            ],
        },
        "one fewer": {
            objects: [strategy({ maxUnavailable: 1, maxSurge: 1 })],
            says: [
                `${WHERE}: lets an update take away 1 of its pods; allowed: 0 (${ROLLING}.maxUnavailable)`,
            ],
        },
        "neither more nor fewer": {
            objects: [strategy({ maxUnavailable: 0, maxSurge: "0%" })],
            says: [
                `${WHERE}: lets an update neither take a pod away nor add one (${ROLLING}.maxSurge)`,
            ],
        },
    },
    needs: {
        case: "one fewer",
        fields: ["0/spec/strategy", "0/spec/strategy/rollingUpdate/maxUnavailable"],
    },
    ignores: {
        case: "one fewer",
        fields: ["0/metadata", "0/spec/replicas", "0/spec/template/spec/containers/0/image"],
    },
});
