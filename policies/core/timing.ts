import type { V1Probe } from "@kubernetes/client-node";
import { cel, said, words, type Cel } from "./cel.ts";
import type { Admission } from "./rule.ts";

/** Seconds of failing until Kubernetes acts, with its defaults. */
export function actsAfter({ failureThreshold = 3, periodSeconds = 10 }: V1Probe): number {
    return failureThreshold * periodSeconds;
}

/** The same of a probe in CEL. */
export function afterOf(probe: Cel): Cel {
    return cel`${probe}.?failureThreshold.orValue(3) * ${probe}.?periodSeconds.orValue(10)`;
}

export const slow = words(
    (field, timeout, period) =>
        said`has a ${field} with timeoutSeconds ${timeout}, not less than its periodSeconds ${period}`,
);
export const late = words(
    (field, after, longest) =>
        said`has a ${field} that acts after ${after} s (failureThreshold × periodSeconds); allowed: ${longest} s`,
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
        each: {
            field: fields,
            timeout: cel`[c[field].?timeoutSeconds.orValue(1)]`,
            period: cel`[c[field].?periodSeconds.orValue(10)]`,
        },
        violated: cel`timeout >= period && timeout >= 2`,
        what: slow(field, cel`timeout`, cel`period`),
        at: said`${field}.timeoutSeconds`,
    },
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
