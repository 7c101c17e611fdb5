import { LABELS, NAMESPACES, PART_OF, type NamespaceRole } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { networkPolicies, type NetworkFlows } from "./networkPolicies.ts";
import { entityPolicies, type EntitySpec } from "./networkPolicies/entities.ts";
import type { ProvisionedProxies } from "./edge/controllers.ts";
import { REGISTRY_SECRET } from "./placement.ts";
import type { Quota } from "./quotas.ts";
import { containerResources, type Resources } from "./workload.ts";

/** Rules of Pod Security as of this release; "latest" would change them with the cluster's version. */
const POD_SECURITY_VERSION = "v1.34";

export interface NamespacesArgs {
    /** Hard limits of each namespace. */
    readonly quotas: Readonly<Record<NamespaceRole, Quota>>;
    /** Who talks to whom beyond what is always allowed. */
    readonly traffic: NetworkFlows;
    /** Proxies that the gateway's controller makes in the edge namespace. Default: none. */
    readonly proxies?: ProvisionedProxies | undefined;
    /** Whether namespaces with volumes are protected from deletion by Pulumi. Default: false */
    readonly protectData?: boolean;
    /** For a Secret with which pods pull images. Default: none is made. */
    readonly registryCredentials?: pulumi.Input<string> | undefined;
}

/** Namespaces whose deletion would delete volumes: of Redis, Prometheus and Alertmanager. */
const WITH_VOLUMES: readonly NamespaceRole[] = ["data", "monitoring"];

/** The platform's namespaces, each with the rules that hold for whatever runs in it. */
export class Namespaces extends pulumi.ComponentResource {
    public readonly names: Readonly<Record<NamespaceRole, pulumi.Output<string>>>;

    constructor(name: string, args: NamespacesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Namespaces", name, args, opts);
        const make = (role: NamespaceRole) =>
            new GuardedNamespace(
                `${name}-${role}`,
                {
                    name: NAMESPACES[role],
                    quota: args.quotas[role],
                    policies: networkPolicies(role, args.traffic),
                    entityPolicies: entityPolicies(role, args.traffic),
                    ...(role === "edge" && args.proxies && rulesFor(args.proxies)),
                    isProtected: args.protectData === true && WITH_VOLUMES.includes(role),
                    registryCredentials: args.registryCredentials,
                },
                { parent: this },
            ).metadataName;
        this.names = {
            blue: make("blue"),
            green: make("green"),
            edge: make("edge"),
            data: make("data"),
            monitoring: make("monitoring"),
        };
        this.registerOutputs({ names: this.names });
    }
}

/** A controller's pods keep to its own level, and get more where they name no resources. */
function rulesFor({ podSecurity, pods, resources }: ProvisionedProxies) {
    return { podSecurity, ...(pods > 0 && { defaults: resources }) };
}

export interface GuardedNamespaceArgs {
    /** Fixed: it is part of Service addresses, of grants and of everybody's commands. */
    readonly name: string;
    readonly quota: Quota;
    /** Whether Pulumi refuses to delete the namespace. Default: false */
    readonly isProtected?: boolean;
    /** Network policies by name. */
    readonly policies: Readonly<Record<string, k8s.types.input.networking.v1.NetworkPolicySpec>>;
    /** CiliumNetworkPolicies by name. Default: none. */
    readonly entityPolicies?: Readonly<Record<string, EntitySpec>>;
    /** Level of Pod Security that is enforced. Default: restricted. */
    readonly podSecurity?: ProvisionedProxies["podSecurity"];
    /** Resources of containers that name none. Default: little. */
    readonly defaults?: Resources;
    /** Content of a Docker config file, for a Secret named `registry-credentials`. Default: none is made. */
    readonly registryCredentials?: pulumi.Input<string> | undefined;
}

/** A namespace with Pod Security "restricted", a quota, defaults for containers and network policies. */
export class GuardedNamespace extends pulumi.ComponentResource {
    public readonly metadataName: pulumi.Output<string>;

    constructor(name: string, args: GuardedNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:GuardedNamespace", name, args, opts);
        const child = { parent: this };
        const labels = { [LABELS.partOf]: PART_OF };
        const namespace = new k8s.core.v1.Namespace(
            `${name}-namespace`,
            { metadata: { name: args.name, labels: { ...labels, ...podSecurityLabels(args) } } },
            // Not of the component: what it owns would inherit it.
            { ...child, protect: args.isProtected ?? false },
        );
        this.metadataName = namespace.metadata.name;
        const metadata = (objectName: string) => ({
            name: objectName,
            namespace: this.metadataName,
            labels,
        });
        new k8s.core.v1.ResourceQuota(
            `${name}-quota`,
            { metadata: metadata("quota"), spec: { hard: args.quota } },
            child,
        );
        new k8s.core.v1.LimitRange(
            `${name}-defaults`,
            { metadata: metadata("defaults"), spec: { limits: [containerDefaults(args)] } },
            child,
        );
        if (args.registryCredentials !== undefined) {
            new k8s.core.v1.Secret(
                `${name}-registry`,
                {
                    metadata: metadata(REGISTRY_SECRET),
                    type: "kubernetes.io/dockerconfigjson",
                    stringData: { ".dockerconfigjson": pulumi.secret(args.registryCredentials) },
                },
                child,
            );
        }
        for (const [policy, spec] of Object.entries(args.policies)) {
            new k8s.networking.v1.NetworkPolicy(
                `${name}-${policy}`,
                { metadata: metadata(policy), spec },
                child,
            );
        }
        for (const [policy, spec] of Object.entries(args.entityPolicies ?? {})) {
            new k8s.apiextensions.CustomResource(
                `${name}-${policy}`,
                {
                    apiVersion: "cilium.io/v2",
                    kind: "CiliumNetworkPolicy",
                    metadata: metadata(policy),
                    spec,
                },
                child,
            );
        }
        this.registerOutputs({ metadataName: this.metadataName });
    }
}

function podSecurityLabels({ podSecurity }: GuardedNamespaceArgs): Record<string, string> {
    const levels = {
        enforce: podSecurity ?? "restricted",
        audit: "restricted",
        warn: "restricted",
    };
    return Object.fromEntries(
        Object.entries(levels).flatMap(([mode, level]) => [
            [`pod-security.kubernetes.io/${mode}`, level],
            [`pod-security.kubernetes.io/${mode}-version`, POD_SECURITY_VERSION],
        ]),
    );
}

const LITTLE: Resources = {
    cpuRequest: "50m",
    cpuLimit: "500m",
    memoryRequest: "64Mi",
    memoryLimit: "256Mi",
};

/**
 * For containers of others, such as a debugging pod or the solver of a certificate challenge: without values
 * a quota would refuse them, and so would the policy on local disk.
 */
function containerDefaults({
    defaults = LITTLE,
}: GuardedNamespaceArgs): k8s.types.input.core.v1.LimitRangeItem {
    const { requests, limits } = containerResources(defaults);
    return {
        type: "Container",
        ...(requests && { defaultRequest: requests }),
        ...(limits && { default: limits }),
    };
}
