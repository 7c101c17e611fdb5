import { cel, said, words } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";
import { afterOf } from "../../kubernetes/probes.ts";

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
