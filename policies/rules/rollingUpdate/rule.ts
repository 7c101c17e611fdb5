import { Type } from "typebox";
import { objectRule, type Finding } from "../../engine/rule.ts";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import { isServing, getPod } from "../../kubernetes/pods.ts";
import * as update from "./updates.ts";
import { AT, DEFAULT_PERCENTAGE, MANY, ROLLING, toPodCount } from "./updates.ts";

const SAFE = { type: ROLLING, rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } };

export const rollingUpdate = objectRule({
    name: "rolling-update",
    kinds: ["Deployment"],
    title: "An update of a serving Deployment starts new pods before it stops old ones.",
    why: "Otherwise the remaining pods have to take over the load during an update, or requests fail.",
    severity: "medium",
    // With spare capacity, an update with fewer pods is faster.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment",
    settings: {
        explicit: Type.Boolean({
            default: false,
            description:
                "whether maxUnavailable must be 0 even if its percentage rounds down to no pod",
        }),
    },
    check: (object, { explicit }) => findings(object, explicit),
    admission: ({ explicit }) => update.updateChecks(explicit),
    remediate({ object }, { explicit }) {
        if (object.kind !== "Deployment") return;
        const [only, ...more] = findings(object, explicit);
        // The API server rejects it together with a maxSurge of 0, which would allow no update.
        if (!only?.isMissing || more.length > 0) return;
        const spec = object.body.spec as { strategy?: { rollingUpdate?: object } };
        Object.assign(((spec.strategy ??= {}).rollingUpdate ??= {}), { maxUnavailable: 0 });
    },
});

function* findings(object: KubernetesObject, explicit: boolean): Generator<Finding, void> {
    const pod = getPod(object);
    if (!pod?.containers.some(isServing) || !update.canRunInParallel(pod)) return;
    const { replicas = MANY, strategy } = asJson(object.body.spec);
    const { type = SAFE.type, rollingUpdate } = asJson(strategy);
    const fix = { spec: { strategy: SAFE } };
    if (type !== SAFE.type) {
        yield { message: update.notRolling(String(type)), path: AT.type, fix };
        return;
    }
    const { maxUnavailable, maxSurge = DEFAULT_PERCENTAGE } = asJson(rollingUpdate);
    const isMissing = maxUnavailable === undefined;
    const value = (maxUnavailable ?? DEFAULT_PERCENTAGE) as string | number;
    if (toPodCount(value, explicit ? MANY : Number(replicas)) > 0) {
        const message = update.unavailable(isMissing ? `${value} by default` : value);
        yield { message, path: AT.maxUnavailable, isMissing, fix };
    }
    if (toPodCount(maxSurge, MANY) > 0) return;
    yield { message: update.withoutSurge(String(maxSurge)), path: AT.maxSurge, fix };
}
