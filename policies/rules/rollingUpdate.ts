import { isServing, podOf } from "../core/pods.ts";
import { json } from "../core/object.ts";
import { objectRule } from "../core/rule.ts";

const FIX = {
    spec: {
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    },
};

export const rollingUpdate = objectRule({
    name: "rolling-update",
    title: "An update of what serves starts a new pod before it ends an old one.",
    why: "Otherwise each update runs with fewer pods than the load was given, and with one replica it is an outage.",
    severity: "high",
    // Costs the room of one more pod, which not everybody has: a stack makes it mandatory.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment",
    kinds: ["Deployment"],
    *check(deployment) {
        const pod = podOf(deployment);
        if (!pod?.containers.some(isServing)) return;
        // A volume that one node or pod alone may have can only be handed over.
        if (pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim)) return;
        const { strategy } = json(deployment.body.spec);
        const { type = "RollingUpdate", rollingUpdate } = json(strategy);
        if (type !== "RollingUpdate") {
            const what = `is updated by ${String(type)}, which ends all pods first`;
            yield { what, at: "spec.strategy.type", fix: FIX };
            return;
        }
        const { maxUnavailable = "25%", maxSurge = "25%" } = json(rollingUpdate);
        if (!isNone(maxUnavailable)) {
            yield {
                what: `lets an update take away ${String(maxUnavailable)} of its pods; allowed: 0`,
                at: "spec.strategy.rollingUpdate.maxUnavailable",
                isMissing: !("maxUnavailable" in json(rollingUpdate)),
                fix: FIX,
            };
        } else if (isNone(maxSurge)) {
            yield {
                what: "lets an update neither take a pod away nor add one",
                at: "spec.strategy.rollingUpdate.maxSurge",
                fix: FIX,
            };
        }
    },
});

function isNone(count: unknown): boolean {
    return count === 0 || count === "0" || count === "0%";
}
