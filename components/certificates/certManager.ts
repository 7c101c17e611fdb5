import { CERTIFICATES_NAMESPACE, LABELS, PART_OF } from "@property-search/contract";
import * as certManager from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import { GuardedNamespace } from "../namespaces.ts";
import type { EntitySpec } from "../networkPolicies/entities.ts";
import type { PolicySpec } from "../networkPolicies/policies.ts";
import { podPlacement, type Placement } from "../placement.ts";
import { quota } from "../quotas.ts";
import { containerResources, topologySpread, type Resources } from "../workload.ts";

export interface CertManagerInstall {
    /** Chart: an OCI reference, the URL of an archive, or a folder. */
    readonly chart: string;
    /** Version of the chart, 1.19 or newer. */
    readonly chartVersion: string;
    /** Registry and folder of the images. */
    readonly imageRegistry: string;
}

export interface CertManagerArgs extends CertManagerInstall {
    /** Network policies of its namespace by name. */
    readonly policies: Readonly<Record<string, PolicySpec>>;
    /** CiliumNetworkPolicies of its namespace by name. */
    readonly entityPolicies: Readonly<Record<string, EntitySpec>>;
    /** Of all workloads of the stack: what the chart makes is no workload of the program's. */
    readonly placement: Placement;
}

/** Its objects are called as by `helm install cert-manager`, so that a second cert-manager is noticed. */
export const CERT_MANAGER_RELEASE = "cert-manager";

/** Two, so that certificates are issued and checked while a node is drained. */
const REPLICAS = 2;

const RESOURCES: Resources = {
    cpuRequest: "10m",
    cpuLimit: "500m",
    memoryRequest: "96Mi",
    memoryLimit: "192Mi",
};

/**
 * A cert-manager of the stack's own, for a cluster that has none: in a namespace with the same rules as all
 * others, with what the stack's policies ask for as far as its chart can say it.
 */
export class CertManager extends pulumi.ComponentResource {
    constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:CertManager", name, args, opts);
        const namespace = new GuardedNamespace(
            name,
            {
                name: CERTIFICATES_NAMESPACE,
                // Three parts, each while it is replaced, and the check of the chart's start.
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
            // Pods are refused while the namespace has no quota counted, and cut off without policies.
            { parent: this, dependsOn: [namespace] },
        );
        this.registerOutputs({});
    }
}

/**
 * The chart's own values, since several typed arguments are not in the schema of newer charts. `keep`:
 * deleting the kinds deletes every certificate of the cluster.
 */
function helmOptions(args: CertManagerArgs, namespace: pulumi.Input<string>) {
    const { chart, chartVersion: version, imageRegistry, placement } = args;
    const { nodeSelector, tolerations, ...ofAllPods } = podPlacement(placement);
    const where = { ...(nodeSelector && { nodeSelector }), ...(tolerations && { tolerations }) };
    const image = (part: string) => ({ repository: `${imageRegistry}/cert-manager-${part}` });
    const part = (name: string) => ({
        replicaCount: REPLICAS,
        image: image(name),
        resources: containerResources(RESOURCES),
        ...where,
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
                ...ofAllPods,
                commonLabels: { ...placement.labels, [LABELS.partOf]: PART_OF },
                // The default, kube-system, is not the stack's to write to.
                leaderElection: { namespace },
            },
            crds: { enabled: true, keep: true },
            config: {
                apiVersion: "controller.config.cert-manager.io/v1alpha1",
                kind: "ControllerConfiguration",
                enableGatewayAPI: true,
            },
            ...part("controller"),
            webhook: part("webhook"),
            cainjector: part("cainjector"),
            acmesolver: { image: image("acmesolver") },
            startupapicheck: {
                image: image("startupapicheck"),
                resources: containerResources(RESOURCES),
                ...where,
            },
        },
    };
}
