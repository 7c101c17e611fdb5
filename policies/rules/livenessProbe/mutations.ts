import { hasBothProbes, hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type Draft, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "no liveness probe",
        (container) => delete container.livenessProbe,
        hasProbe("livenessProbe"),
    ),
    containerMutation(
        "liveness by the readiness probe's handler",
        (container) => {
            for (const handler of ["httpGet", "tcpSocket", "exec"]) {
                delete container.livenessProbe[handler];
                const same: Draft = container.readinessProbe[handler];
                if (same) container.livenessProbe[handler] = same;
            }
        },
        hasBothProbes,
    ),
];
