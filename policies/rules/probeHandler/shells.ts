import { cel, said, words } from "../../cel/cel.ts";
import type { Admission } from "../../engine/rule.ts";
import { PROBES } from "../../kubernetes/probes.ts";

export const SHELLS = /^(?:.*\/)?(?:sh|bash|ash|dash|zsh|ksh|busybox)$/;

export const shell = words((field, begins) => said`has a ${field} that starts a shell: ${begins}`);

const field = cel`field`;
/** The same check in CEL. */
export const shellProbes: Admission = {
    each: { field: PROBES, command: cel`[?c[field].?exec.?command]` },
    violated: cel`size(command) > 0 && command[0].matches(${SHELLS})`,
    what: shell(field, cel`size(command) > 1 ? command[0] + ' ' + command[1] : command[0]`),
    at: said`${field}.exec.command`,
};
