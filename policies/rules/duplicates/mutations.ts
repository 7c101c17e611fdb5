import { copy, objectMutation, type Draft, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    ...["Service", "ConfigMap", "Deployment", "Secret"].map((kind) =>
        objectMutation(kind, `a ${kind} twice`, (one, all) => {
            (all as Draft[]).push(copy(one));
        }),
    ),
];
