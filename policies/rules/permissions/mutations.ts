import { objectMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    objectMutation(
        "permissions",
        ["Role", "ClusterRole"],
        "every verb",
        ({ rules }) => (rules[0].verbs = ["*"]),
    ),
    objectMutation(
        "permissions",
        ["Role", "ClusterRole"],
        "every resource",
        ({ rules }) => (rules[0].resources = ["*"]),
    ),
    objectMutation(
        "permissions",
        ["RoleBinding", "ClusterRoleBinding"],
        "all of the cluster",
        (one) => (one.roleRef = { ...one.roleRef, kind: "ClusterRole", name: "cluster-admin" }),
    ),
];
