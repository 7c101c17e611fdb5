import { has } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "startup-probe",
        "a minute's delay instead of a startup probe",
        (container) => {
            delete container.startupProbe;
            container.livenessProbe.initialDelaySeconds = 60;
        },
        has("livenessProbe"),
    ),
];
