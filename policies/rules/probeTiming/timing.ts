import { cel, message, template } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";
import { secondsUntilActionInCel } from "../../kubernetes/probes.ts";

export const tooLate = template(
    (field, after, maxSeconds) =>
        message`has a ${field} that acts after ${after} s (failureThreshold × the longer of periodSeconds and timeoutSeconds); allowed: at most ${maxSeconds} s`,
);
export const livenessBeforeReadiness = template(
    (kills, takesOut) =>
        message`has a livenessProbe that acts after ${kills} s, before its readinessProbe (${takesOut} s)`,
);

const field = cel`field`;
const fields = cel`['readinessProbe', 'livenessProbe'].filter(f, f in c)`;

/** The checks of probe timing in CEL. */
export const timingChecks = (maxSeconds: number): readonly AdmissionCheck[] => [
    {
        each: { field: fields, after: cel`[${secondsUntilActionInCel(cel`c[field]`)}]` },
        violated: cel`after > ${maxSeconds}`,
        message: tooLate(field, cel`after`, maxSeconds),
        path: message`${field}.failureThreshold`,
    },
    {
        each: {
            kills: cel`c.?livenessProbe.optMap(p, [${secondsUntilActionInCel(cel`p`)}]).orValue([])`,
            takesOut: cel`c.?readinessProbe.optMap(p, [${secondsUntilActionInCel(cel`p`)}]).orValue([])`,
        },
        violated: cel`kills < takesOut`,
        message: livenessBeforeReadiness(cel`kills`, cel`takesOut`),
        path: "livenessProbe.failureThreshold",
    },
];
