import { inObjects, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inObjects(
        "permissions",
        ["Role", "ClusterRole"],
        "every verb",
        ({ rules }) => (rules[0].verbs = ["*"]),
    ),
    inObjects(
        "permissions",
        ["Role", "ClusterRole"],
        "every resource",
        ({ rules }) => (rules[0].resources = ["*"]),
    ),
    inObjects(
        "permissions",
        ["RoleBinding", "ClusterRoleBinding"],
        "all of the cluster",
        (one) => (one.roleRef = { ...one.roleRef, kind: "ClusterRole", name: "cluster-admin" }),
    ),
];
