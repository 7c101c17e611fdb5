import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "pre-stop",
        "no pause before it ends",
        (container) => delete container.lifecycle,
        (container) => container.lifecycle?.preStop !== undefined,
    ),
];
