import { cel, message, template } from "../../cel/cel.ts";
import type { AdmissionCheck } from "../../engine/rule.ts";
import { PROBES } from "../../kubernetes/probes.ts";

export const SHELLS = /^(?:.*\/)?(?:sh|bash|ash|dash|zsh|ksh|busybox)$/;

export const startsShell = template(
    (field, begins) => message`has a ${field} that starts a shell: ${begins}`,
);

const field = cel`field`;
/** The same check in CEL. */
export const shellProbes: AdmissionCheck = {
    each: { field: PROBES, command: cel`[?c[field].?exec.?command]` },
    violated: cel`size(command) > 0 && command[0].matches(${SHELLS})`,
    message: startsShell(
        field,
        cel`size(command) > 1 ? command[0] + ' ' + command[1] : command[0]`,
    ),
    path: message`${field}.exec.command`,
};
