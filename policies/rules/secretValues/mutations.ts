import { objectMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    objectMutation("secret-values", "Secret", "a password in the manifest", (one) => {
        one.stringData = { ...one.stringData, password: "hunter2-hunter2" };
    }),
];
