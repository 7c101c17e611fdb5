import { availability } from "./availability.ts";
import type { Fault } from "./fault.ts";
import { objects } from "./objects.ts";
import { probes } from "./probes.ts";
import { resources } from "./resources.ts";
import { security } from "./security.ts";
import { traffic } from "./traffic.ts";

export { mutantsOf, type Fault, type Mutant } from "./fault.ts";

/** Single faults, each claimed by one rule: what the pack is measured with. */
export const FAULTS: readonly Fault[] = [
    ...objects,
    ...probes,
    ...resources,
    ...security,
    ...availability,
    ...traffic,
];
