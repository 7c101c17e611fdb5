import { both, has } from "../../faults/drafts.ts";
import { inContainers, type Draft, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "liveness-probe",
        "no liveness probe",
        (container) => delete container.livenessProbe,
        has("livenessProbe"),
    ),
    inContainers(
        "liveness-probe",
        "liveness by the readiness probe's handler",
        (container) => {
            for (const handler of ["httpGet", "tcpSocket", "exec"]) {
                delete container.livenessProbe[handler];
                const same: Draft = container.readinessProbe[handler];
                if (same) container.livenessProbe[handler] = same;
            }
        },
        both,
    ),
];
