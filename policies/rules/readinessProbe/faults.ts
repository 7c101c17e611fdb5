import { has } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "readiness-probe",
        "no readiness probe",
        (container) => delete container.readinessProbe,
        has("readinessProbe"),
    ),
];
