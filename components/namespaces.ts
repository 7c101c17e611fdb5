import {
    COLOURS,
    NAMESPACES,
    PART_OF,
    LABELS,
    PORTS,
    REDIS_NAME,
    type NamespaceRole,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** Version of Pod Security's rules: pinned, so that a cluster upgrade forbids nothing by itself. */
const POD_SECURITY_VERSION = "v1.34";

export interface Budget {
    readonly pods: number;
    /** CPUs and bytes that the pods of the namespace may be promised, and use at most. */
    readonly cpuRequests: number;
    readonly memoryRequests: number;
    readonly cpuLimits: number;
    readonly memoryLimits: number;
    /** Volumes and their bytes. */
    readonly volumes: number;
    readonly storage: number;
}

export interface NamespacesArgs {
    /** What each namespace may hold at most. */
    readonly budgets: Readonly<Record<NamespaceRole, Budget>>;
    /** Namespace of the gateway's pods. */
    readonly controllerNamespace: string;
    /** Ranges from which a gateway on the host's network comes. Default: none. */
    readonly controllerCidrs?: readonly string[];
    /** Whether the colours call an API outside of the cluster. Default: false. */
    readonly upstream?: boolean;
    /** Whether Redis is managed elsewhere, so that the colours reach it outside of the cluster. Default: false. */
    readonly externalRedis?: boolean;
}

type Rule = k8s.types.input.networking.v1.NetworkPolicyIngressRule;
type EgressRule = k8s.types.input.networking.v1.NetworkPolicyEgressRule;
type Port = k8s.types.input.networking.v1.NetworkPolicyPort;

/**
 * The platform's namespaces, each with Pod Security "restricted" enforced, a quota, defaults for
 * containers that name no resources, and no traffic in or out but what is listed here. Their names are
 * fixed: routes, grants, rules and people address them.
 */
export class Namespaces extends pulumi.ComponentResource {
    /** The namespaces themselves, to wait for. */
    public readonly all: readonly k8s.core.v1.Namespace[];

    constructor(name: string, args: NamespacesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Namespaces", name, args, opts);
        const roles = Object.keys(NAMESPACES) as NamespaceRole[];
        this.all = roles.map((role) => this.#namespace(name, role, args));
        this.registerOutputs({ names: this.all.map(({ metadata }) => metadata.name) });
    }

    #namespace(name: string, role: NamespaceRole, args: NamespacesArgs): k8s.core.v1.Namespace {
        const namespace = new k8s.core.v1.Namespace(
            `${name}-${role}`,
            { metadata: { name: NAMESPACES[role], labels: namespaceLabels() } },
            { parent: this },
        );
        const child = (part: string) => ({
            name: `${name}-${role}-${part}`,
            metadata: {
                name: part,
                namespace: NAMESPACES[role],
                labels: { [LABELS.partOf]: PART_OF },
            },
            options: { parent: this, dependsOn: [namespace] },
        });

        const quota = child("quota");
        const spec = { hard: hardLimits(args.budgets[role]) };
        new k8s.core.v1.ResourceQuota(
            quota.name,
            { metadata: quota.metadata, spec },
            quota.options,
        );

        const defaults = child("defaults");
        new k8s.core.v1.LimitRange(
            defaults.name,
            { metadata: defaults.metadata, spec: { limits: [CONTAINER_DEFAULTS] } },
            defaults.options,
        );

        for (const [part, policy] of Object.entries(networkPolicies(role, args))) {
            const { name: policyName, metadata, options } = child(part);
            new k8s.networking.v1.NetworkPolicy(policyName, { metadata, spec: policy }, options);
        }
        return namespace;
    }
}

const CONTAINER_DEFAULTS: k8s.types.input.core.v1.LimitRangeItem = {
    type: "Container",
    defaultRequest: { cpu: "50m", memory: "64Mi", "ephemeral-storage": "64Mi" },
    default: { cpu: "500m", memory: "256Mi", "ephemeral-storage": "256Mi" },
};

function namespaceLabels(): Record<string, string> {
    const modes = ["enforce", "audit", "warn"].flatMap((mode) => [
        [`pod-security.kubernetes.io/${mode}`, "restricted"],
        [`pod-security.kubernetes.io/${mode}-version`, POD_SECURITY_VERSION],
    ]);
    return { [LABELS.partOf]: PART_OF, ...(Object.fromEntries(modes) as Record<string, string>) };
}

function hardLimits(budget: Budget): Record<string, string> {
    const cpu = (count: number) => `${Math.ceil(count * 1000)}m`;
    const memory = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)}Mi`;
    return {
        pods: String(budget.pods),
        "requests.cpu": cpu(budget.cpuRequests),
        "requests.memory": memory(budget.memoryRequests),
        "limits.cpu": cpu(budget.cpuLimits),
        "limits.memory": memory(budget.memoryLimits),
        persistentvolumeclaims: String(budget.volumes),
        "requests.storage": memory(budget.storage),
        // Traffic enters by the Gateway and by nothing else.
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    };
}

/** Policies of one namespace by name: nothing goes in or out, then what must. */
function networkPolicies(
    role: NamespaceRole,
    args: NamespacesArgs,
): Record<string, k8s.types.input.networking.v1.NetworkPolicySpec> {
    const policies: Record<string, k8s.types.input.networking.v1.NetworkPolicySpec> = {
        "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        "allow-dns": allowOut({}, [{ to: [namespaceNamed("kube-system")], ports: DNS }]),
    };
    if (role === "blue" || role === "green") {
        policies["allow-service"] = allowIn({}, [
            {
                from: [
                    namespaceNamed(args.controllerNamespace),
                    namespaceNamed(NAMESPACES.monitoring),
                    ...(args.controllerCidrs ?? []).map((cidr) => ({ ipBlock: { cidr } })),
                ],
                ports: [tcp(PORTS.service)],
            },
        ]);
        policies["allow-redis"] = args.externalRedis
            ? allowOut({}, [{ to: [OUTSIDE], ports: [tcp(6379), tcp(6380)] }])
            : allowOut({}, [{ to: [redisPods()], ports: [tcp(PORTS.redis)] }]);
        if (args.upstream) {
            policies["allow-upstream"] = allowOut({}, [{ to: [OUTSIDE], ports: [tcp(443)] }]);
        }
    }
    if (role === "data") {
        policies["allow-redis"] = allowIn(REDIS_PODS, [
            {
                from: [
                    ...COLOURS.map((colour) => namespaceNamed(NAMESPACES[colour])),
                    namespaceNamed(NAMESPACES.monitoring),
                    { podSelector: {} },
                ],
                ports: [tcp(PORTS.redis)],
            },
            { from: [{ podSelector: REDIS_PODS }], ports: [tcp(PORTS.redisBus)] },
        ]);
        policies["allow-redis-peers"] = allowOut({}, [
            { to: [{ podSelector: REDIS_PODS }], ports: [tcp(PORTS.redis), tcp(PORTS.redisBus)] },
        ]);
    }
    return policies;
}

const REDIS_PODS = { matchLabels: { [LABELS.name]: REDIS_NAME } };
const DNS: Port[] = [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
];
/** Everywhere but the cloud's metadata service, which hands out the node's credentials. */
const OUTSIDE = { ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.169.254/32"] } };

function redisPods() {
    return { ...namespaceNamed(NAMESPACES.data), podSelector: REDIS_PODS };
}

function namespaceNamed(name: string) {
    return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

function tcp(port: number): Port {
    return { protocol: "TCP", port };
}

function allowIn(podSelector: k8s.types.input.meta.v1.LabelSelector, ingress: Rule[]) {
    return { podSelector, policyTypes: ["Ingress"], ingress };
}

function allowOut(podSelector: k8s.types.input.meta.v1.LabelSelector, egress: EgressRule[]) {
    return { podSelector, policyTypes: ["Egress"], egress };
}
