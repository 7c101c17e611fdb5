import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { standardLabels } from "../labels.ts";
import { FORMATION_NAME } from "./pods.ts";
import { bindRole } from "../workload.ts";

/** Minutes between repairs: a failover can leave two primaries in one zone. */
const REPAIR_MINUTES = 5;
/** Most seconds of a run: a single server that becomes a cluster moves two thirds of its data. */
const DEADLINE_SECONDS = 1800;

/** Arguments of `RedisFormation`. */
export interface RedisFormationArgs {
    /** Namespace of all objects. */
    readonly namespace: pulumi.Input<string>;
    /** Checksum of the configuration and the volumes. A new one forms the cluster again. */
    readonly checksum: string;
    /** Pod that forms or repairs the cluster. */
    readonly pod: k8s.types.input.core.v1.PodSpec;
}

/** Jobs that form a Redis Cluster at deployment, and keep its primaries in different zones. */
export class RedisFormation extends pulumi.ComponentResource {
    constructor(name: string, args: RedisFormationArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:RedisFormation", name, args, opts);
        const child = { parent: this };
        const labels = standardLabels({ name: FORMATION_NAME, component: "cache-formation" });
        const metadata = { name: FORMATION_NAME, namespace: args.namespace, labels };
        const template = {
            // A Job is immutable: a new checksum replaces it, and the new Job runs.
            metadata: { labels, annotations: { "checksum/config": args.checksum } },
            spec: args.pod,
        };
        const rbac = createFormationRbac(name, metadata, child);
        const job = new k8s.batch.v1.Job(
            name,
            {
                metadata,
                spec: { backoffLimit: 6, activeDeadlineSeconds: DEADLINE_SECONDS, template },
            },
            // The Job connects to the pods, whose start would count towards its deadline.
            { ...child, dependsOn: rbac, customTimeouts: { create: "40m" } },
        );
        new k8s.batch.v1.CronJob(
            `${name}-repair`,
            {
                metadata: { ...metadata, name: `${FORMATION_NAME}-repair` },
                spec: {
                    schedule: `*/${REPAIR_MINUTES} * * * *`,
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

/** An account that may read the pods of its namespace and the nodes of the cluster. */
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
    const get = (resource: string) => [{ apiGroups: [""], resources: [resource], verbs: ["get"] }];
    const role = new k8s.rbac.v1.Role(`${name}-role`, { metadata, rules: get("pods") }, child);
    const clusterMetadata = { name: `property-search-${metadata.name}`, labels: metadata.labels };
    const clusterRole = new k8s.rbac.v1.ClusterRole(
        `${name}-machines`,
        { metadata: clusterMetadata, rules: get("nodes") },
        child,
    );
    return [
        account,
        new k8s.rbac.v1.RoleBinding(
            `${name}-binding`,
            { metadata, ...bindRole("Role", role, account) },
            child,
        ),
        new k8s.rbac.v1.ClusterRoleBinding(
            `${name}-machines-binding`,
            { metadata: clusterMetadata, ...bindRole("ClusterRole", clusterRole, account) },
            child,
        ),
    ];
}
