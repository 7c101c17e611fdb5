import { Type } from "typebox";
import { isServing } from "../core/pods.ts";
import { actsAfter, portOf, questionOf } from "../core/probes.ts";
import { containerRule } from "../core/rule.ts";

const MISSING = "has ports and no livenessProbe";

export const livenessProbe = containerRule({
    name: "liveness-probe",
    title: "Liveness asks something else than readiness.",
    why: "What only should get no traffic for a while is killed, and all its pods at once when what they depend on is away.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#liveness-probe",
    settings: {
        required: Type.Boolean({
            default: false,
            description: "every container that serves a port has a liveness probe",
        }),
        sharedWhenSlower: Type.Boolean({
            default: true,
            description:
                "the same question will do where liveness acts later than readiness, as Kubernetes' documentation allows",
        }),
    },
    *check(container, { required, sharedWhenSlower }) {
        const { livenessProbe: liveness, readinessProbe: readiness } = container.spec;
        if (!liveness) {
            if (!required || !isServing(container)) return;
            const [port] = container.spec.ports ?? [];
            const fix = fixOf(port?.name ?? port?.containerPort);
            yield { what: MISSING, at: "livenessProbe", isMissing: true, fix };
            return;
        }
        if (!readiness) return;
        const question = questionOf(container, liveness);
        if (question === undefined || question !== questionOf(container, readiness)) return;
        if (sharedWhenSlower && actsAfter(liveness) > actsAfter(readiness)) return;
        yield {
            what: `has a livenessProbe that asks what its readinessProbe asks: ${question}`,
            at: "livenessProbe",
            fix: fixOf(portOf(liveness) ?? "http"),
        };
    },
    admission: {
        of: "serving",
        violated: "settings.required && !has(c.livenessProbe)",
        what: MISSING,
        at: "livenessProbe",
    },
});

/** A question that a process can answer whatever it depends on does. */
function fixOf(port: string | number | undefined) {
    const timing = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };
    return { livenessProbe: { httpGet: { path: "/livez", port }, ...timing } };
}
