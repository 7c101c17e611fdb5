import { cel, said, words } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";
import { afterOf } from "../../kubernetes/probes.ts";

export const late = words(
    (field, after, maxSeconds) =>
        said`has a ${field} that acts after ${after} s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: at most ${maxSeconds} s`,
);
export const hasty = words(
    (kills, takesOut) =>
        said`has a livenessProbe that acts after ${kills} s, before its readinessProbe (${takesOut} s)`,
);

const field = cel`field`;
const fields = cel`['readinessProbe', 'livenessProbe'].filter(f, f in c)`;

/** The checks of probe timing in CEL. */
export const timing = (maxSeconds: number): readonly Admission[] => [
    {
        each: { field: fields, after: cel`[${afterOf(cel`c[field]`)}]` },
        violated: cel`after > ${maxSeconds}`,
        what: late(field, cel`after`, maxSeconds),
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
