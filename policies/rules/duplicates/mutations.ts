import { copy, objectMutation, type Draft, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    ...["Service", "ConfigMap", "Deployment", "Secret"].map((kind) =>
        objectMutation("duplicates", kind, `a ${kind} twice`, (one, all) => {
            (all as Draft[]).push(copy(one));
        }),
    ),
];
