import { hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "a minute's delay instead of a startup probe",
        (container) => {
            delete container.startupProbe;
            container.livenessProbe.initialDelaySeconds = 60;
        },
        hasProbe("livenessProbe"),
    ),
];
