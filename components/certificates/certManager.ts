import { CERTIFICATES_NAMESPACE, LABELS, PART_OF } from "@property-search/contract";
import * as certManager from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import { GuardedNamespace } from "../namespaces.ts";
import type { EntitySpec } from "../networkPolicies/entities.ts";
import type { PolicySpec } from "../networkPolicies/policies.ts";
import { podPlacement, type Placement } from "../placement.ts";
import { quota } from "../quotas.ts";
import { containerResources, topologySpread, type Resources } from "../workload.ts";

/** Chart of cert-manager. */
export interface CertManagerInstall {
    /** Chart: an OCI reference, the URL of an archive, or a directory. */
    readonly chart: string;
    /** Version of the chart, 1.19 or newer. */
    readonly chartVersion: string;
    /** Registry and path of the images. */
    readonly imageRegistry: string;
}

/** Arguments of `CertManager`. */
export interface CertManagerArgs extends CertManagerInstall {
    /** Network policies of its namespace, by name. */
    readonly policies: Readonly<Record<string, PolicySpec>>;
    /** CiliumNetworkPolicies of its namespace, by name. */
    readonly entityPolicies: Readonly<Record<string, EntitySpec>>;
    /** Placement of the pods; the chart creates them, so that `applyPlacement` does not reach them. */
    readonly placement: Placement;
}

/** Release name, the same as of `helm install cert-manager`, so that a second installation conflicts. */
const CERT_MANAGER_RELEASE = "cert-manager";

/** Two replicas, so that certificates are issued and validated while a node is drained. */
const REPLICAS = 2;

const RESOURCES: Resources = {
    cpuRequest: "10m",
    cpuLimit: "500m",
    memoryRequest: "96Mi",
    memoryLimit: "192Mi",
};

/**
 * The stack's own cert-manager, for a cluster without one. Its namespace has the same rules as all others, and its
 * values follow the stack's policies as far as the chart allows.
 */
export class CertManager extends pulumi.ComponentResource {
    constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:CertManager", name, args, opts);
        const namespace = new GuardedNamespace(
            name,
            {
                name: CERTIFICATES_NAMESPACE,
                // Three Deployments during an update, and the Job that checks the API.
                quota: quota([{ pods: 3 * (REPLICAS + 1) + 1, containers: [RESOURCES] }]),
                policies: args.policies,
                entityPolicies: args.entityPolicies,
                registryCredentials: args.placement.registryCredentials,
            },
            { parent: this },
        );
        new certManager.CertManager(
            `${name}-chart`,
            { helmOptions: helmOptions(args, namespace.metadataName) },
            // Pods need the quota and the network policies.
            { parent: this, dependsOn: [namespace] },
        );
        this.registerOutputs({});
    }
}

/**
 * Values of the chart, since several typed arguments are not in the schema of newer charts. `keep`: deleting the
 * custom resource definitions deletes every certificate of the cluster.
 */
function helmOptions(args: CertManagerArgs, namespace: pulumi.Input<string>) {
    const { chart, chartVersion: version, imageRegistry, placement } = args;
    const { nodeSelector, tolerations, ...podSpec } = podPlacement(placement);
    const schedule = { ...(nodeSelector && { nodeSelector }), ...(tolerations && { tolerations }) };
    const image = (name: string) => ({ repository: `${imageRegistry}/cert-manager-${name}` });
    const workload = (name: string) => ({
        replicaCount: REPLICAS,
        image: image(name),
        resources: containerResources(RESOURCES),
        ...schedule,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        podDisruptionBudget: { enabled: true, minAvailable: 1 },
        topologySpreadConstraints: topologySpread(
            { [LABELS.instance]: CERT_MANAGER_RELEASE, [LABELS.component]: name },
            "pod-template-hash",
        ),
    });
    return {
        name: CERT_MANAGER_RELEASE,
        chart,
        version,
        namespace,
        createNamespace: false,
        values: {
            global: {
                ...podSpec,
                commonLabels: { ...placement.labels, [LABELS.partOf]: PART_OF },
                // The default, kube-system, does not belong to the stack.
                leaderElection: { namespace },
            },
            crds: { enabled: true, keep: true },
            config: {
                apiVersion: "controller.config.cert-manager.io/v1alpha1",
                kind: "ControllerConfiguration",
                enableGatewayAPI: true,
            },
            ...workload("controller"),
            webhook: workload("webhook"),
            cainjector: workload("cainjector"),
            acmesolver: { image: image("acmesolver") },
            startupapicheck: {
                image: image("startupapicheck"),
                resources: containerResources(RESOURCES),
                ...schedule,
            },
        },
    };
}
