import type { V1Probe } from "@kubernetes/client-node";
import { cel, said, words, type Cel } from "./cel.ts";
import type { Admission } from "./rule.ts";

/**
 * Seconds of failing until Kubernetes acts, with its defaults. Probes of a container never overlap, so that one
 * that times out later than the next is due makes that one wait.
 */
export function actsAfter({
    failureThreshold = 3,
    periodSeconds = 10,
    timeoutSeconds = 1,
}: V1Probe): number {
    return failureThreshold * Math.max(periodSeconds, timeoutSeconds);
}

/** The same of a probe in CEL. */
export function afterOf(probe: Cel): Cel {
    return cel`${probe}.?failureThreshold.orValue(3) * [${probe}.?periodSeconds.orValue(10), ${probe}.?timeoutSeconds.orValue(1)].max()`;
}

export const late = words(
    (field, after, longest) =>
        said`has a ${field} that acts after ${after} s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: ${longest} s`,
);
export const hasty = words(
    (kills, takesOut) =>
        said`has a livenessProbe that acts after ${kills} s, sooner than its readinessProbe after ${takesOut} s`,
);

const field = cel`field`;
const fields = cel`['readinessProbe', 'livenessProbe'].filter(f, f in c)`;

/** What the API server says of probes' times. */
export const timing = (longest: number): readonly Admission[] => [
    {
        each: { field: fields, after: cel`[${afterOf(cel`c[field]`)}]` },
        violated: cel`after > ${longest}`,
        what: late(field, cel`after`, longest),
        at: said`${field}.failureThreshold`,
    },
    {
        each: {
            kills: cel`c.?livenessProbe.optMap(p, [${afterOf(cel`p`)}]).orValue([])`,
            takesOut: cel`c.?readinessProbe.optMap(p, [${afterOf(cel`p`)}]).orValue([])`,
        },
        violated: cel`kills < takesOut`,
        what: hasty(cel`kills`, cel`takesOut`),
        at: "livenessProbe.failureThreshold",
    },
];
