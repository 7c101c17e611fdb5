import {
    EXAMPLE_NAMESPACE,
    LABELS,
    NAMESPACES,
    PART_OF,
    type NamespaceRole,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { defaultQuotas } from "./defaultQuotas.ts";
import { DEFAULT_FLOWS, networkPolicies, type NetworkFlows } from "./networkPolicies.ts";
import { entityPolicies, type EntitySpec } from "./networkPolicies/entities.ts";
import type { ProvisionedProxies } from "./edge/controllers.ts";
import { REGISTRY_SECRET } from "./placement.ts";
import type { Quota } from "./quotas.ts";
import { containerResources, type Resources } from "./workload.ts";

/** Version of the Pod Security Standards; "latest" would change with the cluster. */
const POD_SECURITY_VERSION = "v1.34";

/** Arguments of `Namespaces`; none of them is required. */
export interface NamespacesArgs {
    /**
     * Hard limits of each namespace. `namespaceQuotas` computes them.
     * @default enough for the components with their default arguments
     */
    readonly quotas?: Readonly<Record<NamespaceRole, Quota>>;
    /**
     * Connections that network policies allow, where they differ from the defaults.
     * @default DEFAULT_FLOWS
     */
    readonly flows?: Partial<NetworkFlows>;
    /**
     * Proxies that the gateway controller creates in the edge namespace.
     * @default none
     */
    readonly proxies?: ProvisionedProxies | undefined;
    /**
     * Whether Pulumi refuses to delete the namespaces with volumes.
     * @default false
     */
    readonly protectData?: boolean;
    /**
     * Content of a Docker config file, for a Secret in each namespace with which pods pull images.
     * @default none
     */
    readonly registryCredentials?: pulumi.Input<string> | undefined;
    /**
     * Quota and policies of the namespace of the example.
     * @default none: the stack has no example
     */
    readonly example?:
        Pick<GuardedNamespaceArgs, "quota" | "policies" | "entityPolicies"> | undefined;
}

/** Namespaces whose deletion would delete volumes: those of Redis, Prometheus and Alertmanager. */
const WITH_VOLUMES: readonly NamespaceRole[] = ["data", "monitoring"];

/**
 * The platform's namespaces, each with Pod Security, a quota, container defaults and network policies.
 *
 * @example
 * ```ts
 * const namespaces = new Namespaces("namespaces");
 * ```
 */
export class Namespaces extends pulumi.ComponentResource {
    /** Name of each namespace. */
    public readonly names: Readonly<Record<NamespaceRole, pulumi.Output<string>>>;
    /** Name of the example's namespace. Undefined: there is none. */
    public readonly example: pulumi.Output<string> | undefined;

    constructor(name: string, args: NamespacesArgs = {}, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Namespaces", name, args, opts);
        const quotas = args.quotas ?? defaultQuotas();
        const flows = { ...DEFAULT_FLOWS, ...args.flows };
        const create = (role: NamespaceRole) =>
            new GuardedNamespace(
                `${name}-${role}`,
                {
                    name: NAMESPACES[role],
                    quota: quotas[role],
                    policies: networkPolicies(role, flows),
                    entityPolicies: entityPolicies(role, flows),
                    ...(role === "edge" && args.proxies && proxyNamespaceArgs(args.proxies)),
                    isProtected: args.protectData === true && WITH_VOLUMES.includes(role),
                    registryCredentials: args.registryCredentials,
                },
                { parent: this },
            ).metadataName;
        this.names = {
            blue: create("blue"),
            green: create("green"),
            edge: create("edge"),
            data: create("data"),
            monitoring: create("monitoring"),
        };
        this.example =
            args.example &&
            new GuardedNamespace(
                `${name}-example`,
                {
                    name: EXAMPLE_NAMESPACE,
                    ...args.example,
                    registryCredentials: args.registryCredentials,
                },
                { parent: this },
            ).metadataName;
        this.registerOutputs({ names: this.names, example: this.example });
    }
}

/** The proxies have a Pod Security level of their own, and default resources where they set none. */
function proxyNamespaceArgs({ podSecurity, pods, resources }: ProvisionedProxies) {
    return { podSecurity, ...(pods > 0 && { defaults: resources }) };
}

/** Arguments of `GuardedNamespace`. */
export interface GuardedNamespaceArgs {
    /** Name of the namespace, which addresses, grants and commands contain. */
    readonly name: string;
    /** Hard limits of the ResourceQuota. */
    readonly quota: Quota;
    /**
     * Whether Pulumi refuses to delete the namespace.
     * @default false
     */
    readonly isProtected?: boolean;
    /** Network policies, by name. */
    readonly policies: Readonly<Record<string, k8s.types.input.networking.v1.NetworkPolicySpec>>;
    /**
     * CiliumNetworkPolicies, by name.
     * @default none
     */
    readonly entityPolicies?: Readonly<Record<string, EntitySpec>>;
    /**
     * Level of Pod Security that is enforced.
     * @default "restricted"
     */
    readonly podSecurity?: ProvisionedProxies["podSecurity"];
    /**
     * Resources of containers that set none.
     * @default DEFAULT_RESOURCES
     */
    readonly defaults?: Resources;
    /**
     * Content of a Docker config file, for a Secret named `registry-credentials`.
     * @default none
     */
    readonly registryCredentials?: pulumi.Input<string> | undefined;
}

/** A namespace with Pod Security, a quota, container defaults and network policies. */
export class GuardedNamespace extends pulumi.ComponentResource {
    /** Name of the namespace. */
    public readonly metadataName: pulumi.Output<string>;

    constructor(name: string, args: GuardedNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:GuardedNamespace", name, args, opts);
        const child = { parent: this };
        const labels = { [LABELS.partOf]: PART_OF };
        const namespace = new k8s.core.v1.Namespace(
            `${name}-namespace`,
            { metadata: { name: args.name, labels: { ...labels, ...podSecurityLabels(args) } } },
            // On the namespace alone: children of a protected component would inherit the protection.
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

const DEFAULT_RESOURCES: Resources = {
    cpuRequest: "50m",
    cpuLimit: "500m",
    memoryRequest: "64Mi",
    memoryLimit: "256Mi",
};

/**
 * Limits for containers that are not part of the stack, such as a debugging pod or the solver of a certificate
 * challenge. Without values, the quota and the policy on ephemeral storage reject them.
 */
function containerDefaults({
    defaults = DEFAULT_RESOURCES,
}: GuardedNamespaceArgs): k8s.types.input.core.v1.LimitRangeItem {
    const { requests, limits } = containerResources(defaults);
    return {
        type: "Container",
        ...(requests && { defaultRequest: requests }),
        ...(limits && { default: limits }),
    };
}
