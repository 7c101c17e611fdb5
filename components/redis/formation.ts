import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { standardLabels } from "../labels.ts";
import { FORMATION_NAME } from "./pods.ts";

/** Minutes between two looks: failovers put primaries together, and the next loss of a zone may be near. */
const MINUTES = 5;
/** Seconds that a run may take: a server alone that becomes a cluster moves two thirds of its data. */
const DEADLINE_SECONDS = 1800;

export interface RedisFormationArgs {
    readonly namespace: pulumi.Input<string>;
    /** Of what a cluster is formed for: the configuration of Redis, and its volumes. */
    readonly checksum: string;
    readonly pod: k8s.types.input.core.v1.PodSpec;
}

/** What forms a Redis Cluster on a deploy, and keeps it spread over zones from then on. */
export class RedisFormation extends pulumi.ComponentResource {
    constructor(name: string, args: RedisFormationArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:RedisFormation", name, args, opts);
        const child = { parent: this };
        const labels = standardLabels({ name: FORMATION_NAME, component: "cache-formation" });
        const metadata = { name: FORMATION_NAME, namespace: args.namespace, labels };
        const template = {
            // A Job cannot change: another config makes another one, and it runs.
            metadata: { labels, annotations: { "checksum/config": args.checksum } },
            spec: args.pod,
        };
        const rights = createFormationRbac(name, metadata, child);
        const job = new k8s.batch.v1.Job(
            name,
            {
                metadata,
                spec: { backoffLimit: 6, activeDeadlineSeconds: DEADLINE_SECONDS, template },
            },
            // It talks to the pods, and its own time would run out while they start.
            { ...child, dependsOn: rights, customTimeouts: { create: "40m" } },
        );
        new k8s.batch.v1.CronJob(
            `${name}-repair`,
            {
                metadata: { ...metadata, name: `${FORMATION_NAME}-repair` },
                spec: {
                    schedule: `*/${MINUTES} * * * *`,
                    concurrencyPolicy: "Forbid",
                    startingDeadlineSeconds: 60,
                    successfulJobsHistoryLimit: 1,
                    failedJobsHistoryLimit: 1,
                    jobTemplate: {
                        metadata: { labels },
                        spec: {
                            backoffLimit: 0,
                            activeDeadlineSeconds: DEADLINE_SECONDS,
                            template,
                        },
                    },
                },
            },
            { ...child, dependsOn: [job] },
        );
        this.registerOutputs({});
    }
}

/** Its account may read the pods of its namespace, and the machines under them, which belong to none. */
function createFormationRbac(
    name: string,
    metadata: { name: string; namespace: pulumi.Input<string>; labels: Record<string, string> },
    child: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    const account = new k8s.core.v1.ServiceAccount(
        `${name}-account`,
        { metadata, automountServiceAccountToken: false },
        child,
    );
    const subjects = [
        {
            kind: "ServiceAccount",
            name: account.metadata.name,
            namespace: account.metadata.namespace,
        },
    ];
    const refer = (kind: string, role: k8s.rbac.v1.Role | k8s.rbac.v1.ClusterRole) => ({
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: role.metadata.name },
        subjects,
    });
    const get = (resource: string) => [{ apiGroups: [""], resources: [resource], verbs: ["get"] }];
    const role = new k8s.rbac.v1.Role(`${name}-role`, { metadata, rules: get("pods") }, child);
    const everywhere = { name: `property-search-${metadata.name}`, labels: metadata.labels };
    const clusterRole = new k8s.rbac.v1.ClusterRole(
        `${name}-machines`,
        { metadata: everywhere, rules: get("nodes") },
        child,
    );
    return [
        account,
        new k8s.rbac.v1.RoleBinding(`${name}-binding`, { metadata, ...refer("Role", role) }, child),
        new k8s.rbac.v1.ClusterRoleBinding(
            `${name}-machines-binding`,
            { metadata: everywhere, ...refer("ClusterRole", clusterRole) },
            child,
        ),
    ];
}
