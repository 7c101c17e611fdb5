import { objectMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation("Secret", "a password in the manifest", (one) => {
        one.stringData = { ...one.stringData, password: "hunter2-hunter2" };
    }),
];
