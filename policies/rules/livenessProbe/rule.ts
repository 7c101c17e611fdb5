import { Type } from "typebox";
import { cel } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { isServing } from "../../kubernetes/pods.ts";
import { actsAfter, portOf } from "../../kubernetes/probes.ts";
import { questionOf, shared, sharing } from "./questions.ts";

const AT = "livenessProbe";
const ABSENT = cel`!has(c.livenessProbe)`;
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
            yield { what: MISSING, at: AT, isMissing: true, fix };
            return;
        }
        if (!readiness) return;
        const question = questionOf(container, liveness);
        if (question === undefined || question !== questionOf(container, readiness)) return;
        if (sharedWhenSlower && actsAfter(liveness) > actsAfter(readiness)) return;
        yield { what: shared(question), at: AT, fix: fixOf(portOf(liveness) ?? "http") };
    },
    admission: ({ required, sharedWhenSlower }) => [
        { asked: required, of: "serving", violated: ABSENT, what: MISSING, at: AT },
        sharing(sharedWhenSlower),
    ],
});

/** A question that a process can answer whatever it depends on does. */
function fixOf(port: string | number | undefined) {
    const timing = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };
    return { livenessProbe: { httpGet: { path: "/livez", port }, ...timing } };
}
