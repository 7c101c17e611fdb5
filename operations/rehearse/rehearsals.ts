import { invalidValue } from "@property-search/contract";
import { alertmanagerOutage } from "./alertmanagerOutage.ts";
import { backupRestore } from "./backupRestore.ts";
import { certificateExpiry } from "./certificateExpiry.ts";
import { nodeRestart } from "./nodeRestart.ts";
import { prometheusDiskFull } from "./prometheusDiskFull.ts";
import { redisFailover } from "./redisFailover.ts";
import { redisLoss } from "./redisLoss.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { restoreFromNothing } from "./restoreFromNothing.ts";
import { rollback } from "./rollback.ts";

/** All rehearsals, in the order of NAME=all: the last ones replace the most. */
export const REHEARSALS: readonly Rehearsal[] = [
    backupRestore,
    rollback,
    redisLoss,
    redisFailover,
    alertmanagerOutage,
    certificateExpiry,
    prometheusDiskFull,
    nodeRestart,
    restoreFromNothing,
];

export const REHEARSAL_NAMES = REHEARSALS.map(({ name }) => name);

/** @throws UserError for an unknown name */
export function findRehearsal(name: string): Rehearsal {
    const found = REHEARSALS.find((rehearsal) => rehearsal.name === name);
    if (found) return found;
    throw invalidValue("NAME", name, `all, ${REHEARSAL_NAMES.join(", ")}`);
}
