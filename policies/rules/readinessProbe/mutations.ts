import { hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "no readiness probe",
        (container) => delete container.readinessProbe,
        hasProbe("readinessProbe"),
    ),
];
