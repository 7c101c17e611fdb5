import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "no pause before it ends",
        (container) => delete container.lifecycle,
        (container) => container.lifecycle?.preStop !== undefined,
    ),
];
