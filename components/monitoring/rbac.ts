import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { bindRole } from "../workload.ts";
import type { MonitoringWorkload } from "./workload.ts";

type PolicyRule = k8s.types.input.rbac.v1.PolicyRule;

/** A rule to read resources. Monitoring may neither change objects nor read Secrets. */
export function readRule(apiGroup: string, ...resources: readonly string[]): PolicyRule {
    return { apiGroups: [apiGroup], resources: [...resources], verbs: ["get", "list", "watch"] };
}

/** Lets the account of a workload read in some namespaces, by a Role in each. */
export function grantRead(
    name: string,
    { objectName, labels, account }: MonitoringWorkload,
    namespaces: Readonly<Record<string, pulumi.Input<string>>>,
    rules: PolicyRule[],
    child: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    return Object.entries(namespaces).map(([role, namespace]) => {
        const metadata = { name: objectName, namespace, labels };
        const readRole = new k8s.rbac.v1.Role(`${name}-role-${role}`, { metadata, rules }, child);
        return new k8s.rbac.v1.RoleBinding(
            `${name}-binding-${role}`,
            { metadata, ...bindRole("Role", readRole, account) },
            child,
        );
    });
}
