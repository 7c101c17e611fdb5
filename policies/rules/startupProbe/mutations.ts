import { hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "startup-probe",
        "a minute's delay instead of a startup probe",
        (container) => {
            delete container.startupProbe;
            container.livenessProbe.initialDelaySeconds = 60;
        },
        hasProbe("livenessProbe"),
    ),
];
