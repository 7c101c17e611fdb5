import { hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "readiness-probe",
        "no readiness probe",
        (container) => delete container.readinessProbe,
        hasProbe("readinessProbe"),
    ),
];
