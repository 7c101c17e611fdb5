import { describeRule } from "../../test/support/describeRule.ts";
import { object } from "../../test/support/manifests.ts";
import { permissions } from "./rule.ts";

const API = "rbac.authorization.k8s.io/v1";
const role = (rule: object, kind = "Role") => object(API, kind, { rules: [rule] });
const reads = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
const binding = (name: string, kind: string) =>
    object(API, kind, {
        roleRef: { kind: "ClusterRole", name },
        subjects: [{ kind: "ServiceAccount", name: "service" }],
    });

describeRule(permissions, {
    compliant: {
        "what is named": {
            objects: [
                role(reads),
                role(
                    { nonResourceURLs: ["/metrics", "/healthz/*"], verbs: ["get"] },
                    "ClusterRole",
                ),
                binding("view", "ClusterRoleBinding"),
            ],
        },
        "a role that needs wildcards": {
            objects: [role({ ...reads, resources: ["*"] })],
            settings: { wildcardRoles: ["serv*"] },
        },
    },
    violating: {
        wildcards: {
            objects: [
                role({ apiGroups: ["*"], resources: ["*/*"], verbs: ["*"] }),
                role({ nonResourceURLs: ["*"], verbs: ["get"] }, "ClusterRole"),
            ],
            says: [
                "Role search/service: allows all apiGroups with a wildcard (rules[0].apiGroups)",
                "Role search/service: allows all resources with a wildcard (rules[0].resources)",
                "Role search/service: allows all verbs with a wildcard (rules[0].verbs)",
                "ClusterRole search/service: allows all nonResourceURLs with a wildcard (rules[0].nonResourceURLs)",
            ],
        },
        "verbs by which one gets more": {
            objects: [role({ ...reads, verbs: ["bind", "escalate"] })],
            says: ["bind", "escalate"].map(
                (verb) =>
                    `Role search/service: allows ${verb}, which permits privilege escalation (rules[0].verbs)`,
            ),
        },
        "all of a cluster, and of a namespace": {
            objects: [
                binding("cluster-admin", "ClusterRoleBinding"),
                binding("cluster-admin", "RoleBinding"),
            ],
            says: [
                "ClusterRoleBinding search/service: grants cluster-admin in the cluster to ServiceAccount service (roleRef.name)",
                "RoleBinding search/service: grants cluster-admin in its namespace to ServiceAccount service (roleRef.name)",
            ],
        },
    },
    needs: { case: "wildcards", fields: ["0/rules", "0/rules/0/verbs"] },
    ignores: { case: "wildcards", fields: ["1/metadata"] },
});
