import { Type } from "typebox";
import { cel } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { isServing } from "../../kubernetes/pods.ts";
import { secondsUntilAction, getPort } from "../../kubernetes/probes.ts";
import { describeProbe, sameTarget, sameTargetCheck } from "./probeTargets.ts";

const AT = "livenessProbe";
const ABSENT = cel`!has(c.livenessProbe)`;
const MISSING = "has ports and no livenessProbe";

export const livenessProbe = containerRule({
    name: "liveness-probe",
    title: "Liveness and readiness probes use different checks.",
    why: "Otherwise a pod that should only leave rotation is restarted, and an outage of a dependency restarts every pod at once.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#liveness-probe",
    settings: {
        required: Type.Boolean({
            default: false,
            description: "whether every container with ports needs a liveness probe",
        }),
        sharedWhenSlower: Type.Boolean({
            default: true,
            description:
                "whether both may use the same check if liveness acts later, as the documentation of Kubernetes allows",
        }),
    },
    *check(container, { required, sharedWhenSlower }) {
        const { livenessProbe: liveness, readinessProbe: readiness } = container.spec;
        if (!liveness) {
            if (!required || !isServing(container)) return;
            const [port] = container.spec.ports ?? [];
            const fix = createFix(port?.name ?? port?.containerPort);
            yield { message: MISSING, path: AT, isMissing: true, fix };
            return;
        }
        if (!readiness) return;
        const target = describeProbe(container, liveness);
        if (target === undefined || target !== describeProbe(container, readiness)) return;
        if (sharedWhenSlower && secondsUntilAction(liveness) > secondsUntilAction(readiness))
            return;
        yield {
            message: sameTarget(target),
            path: AT,
            fix: createFix(getPort(liveness) ?? "http"),
        };
    },
    admission: ({ required, sharedWhenSlower }) => [
        { enabled: required, target: "serving", violated: ABSENT, message: MISSING, path: AT },
        sameTargetCheck(sharedWhenSlower),
    ],
});

/** Proposes a check that does not depend on other services. */
function createFix(port: string | number | undefined) {
    const timing = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };
    return { livenessProbe: { httpGet: { path: "/livez", port }, ...timing } };
}
