import { Type } from "typebox";
import { cel, message, template } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { PROBES, getHandler, listProbes } from "../../kubernetes/probes.ts";

const PERIOD = 5;
const longDelay = template(
    (field, delay, most) =>
        message`has a ${field} with initialDelaySeconds ${delay} and no startupProbe; allowed: at most ${most}`,
);

export const startupProbe = containerRule({
    name: "startup-probe",
    title: "Containers with a slow start have a startup probe instead of a long initial delay.",
    why: "With a short delay, a slow start is killed repeatedly. With a long one, every start waits for it.",
    severity: "medium",
    // The manifests of KEDA and metrics-server have delays of 20 seconds.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#startup-probe",
    settings: {
        maxDelaySeconds: Type.Integer({
            default: 10,
            minimum: 0,
            description: "maximum of initialDelaySeconds without a startup probe",
        }),
    },
    *check(container, { maxDelaySeconds: most }) {
        if (container.spec.startupProbe) return;
        for (const { field, spec } of listProbes(container)) {
            const { initialDelaySeconds: delay = 0 } = spec;
            if (delay <= most) continue;
            // Three times the delay costs nothing, since the probe ends with its first success.
            const failureThreshold = Math.ceil((3 * delay) / PERIOD);
            yield {
                message: longDelay(field, delay, most),
                path: `${field}.initialDelaySeconds`,
                isMissing: true,
                fix: {
                    startupProbe: { ...getHandler(spec), periodSeconds: PERIOD, failureThreshold },
                },
            };
        }
    },
    admission: ({ maxDelaySeconds: most }) => [
        {
            each: {
                field: PROBES,
                delay: cel`[c[field].?initialDelaySeconds.orValue(0)]`,
            },
            violated: cel`!has(c.startupProbe) && delay > ${most}`,
            message: longDelay(cel`field`, cel`delay`, most),
            path: message`${cel`field`}.initialDelaySeconds`,
        },
    ],
});
