import { Type } from "typebox";
import { cel, said, words } from "../../cel/cel.ts";
import { containerRule } from "../../engine/rule.ts";
import { PROBES, handlerOf, probesOf } from "../../kubernetes/probes.ts";

const PERIOD = 5;
const delayed = words(
    (field, delay, most) =>
        said`has a ${field} with initialDelaySeconds ${delay}, more than ${most}, and no startupProbe`,
);

export const startupProbe = containerRule({
    name: "startup-probe",
    title: "What takes long to start has a startup probe, not a long initial delay of the others.",
    why: "A delay is a guess: too short and a slow start is killed in a loop, too long and every start waits for it.",
    severity: "medium",
    // The manifests of KEDA and metrics-server have delays of 20 seconds.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#startup-probe",
    settings: {
        delay: Type.Integer({
            default: 10,
            minimum: 0,
            description: "most of initialDelaySeconds without a startup probe",
        }),
    },
    *check(container, { delay: most }) {
        if (container.spec.startupProbe) return;
        for (const { field, spec } of probesOf(container)) {
            const { initialDelaySeconds: delay = 0 } = spec;
            if (delay <= most) continue;
            // Three times what was guessed costs nothing: the probe ends with its first success.
            const failureThreshold = Math.ceil((3 * delay) / PERIOD);
            yield {
                what: delayed(field, delay, most),
                at: `${field}.initialDelaySeconds`,
                isMissing: true,
                fix: {
                    startupProbe: { ...handlerOf(spec), periodSeconds: PERIOD, failureThreshold },
                },
            };
        }
    },
    admission: ({ delay: most }) => [
        {
            each: {
                field: PROBES,
                delay: cel`[c[field].?initialDelaySeconds.orValue(0)]`,
            },
            violated: cel`!has(c.startupProbe) && delay > ${most}`,
            what: delayed(cel`field`, cel`delay`, most),
            at: said`${cel`field`}.initialDelaySeconds`,
        },
    ],
});
