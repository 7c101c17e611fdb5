import { objectMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation(["Role", "ClusterRole"], "every verb", ({ rules }) => (rules[0].verbs = ["*"])),
    objectMutation(
        ["Role", "ClusterRole"],
        "every resource",
        ({ rules }) => (rules[0].resources = ["*"]),
    ),
    objectMutation(
        ["RoleBinding", "ClusterRoleBinding"],
        "all of the cluster",
        (one) => (one.roleRef = { ...one.roleRef, kind: "ClusterRole", name: "cluster-admin" }),
    ),
];
