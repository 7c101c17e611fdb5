import {
    formatBytes,
    formatCpu,
    parseBytes,
    parseCpu,
    type NamespaceRole,
} from "@property-search/contract";
import type { ProvisionedProxies } from "./edge/controllers.ts";
import type { Resources } from "./workload.ts";

/** Most that a workload takes of a namespace: pods of one kind, and volumes. */
export interface WorkloadFootprint {
    readonly pods: number;
    /** Resources of the containers of each pod. */
    readonly containers: readonly Resources[];
    readonly volumes?: { readonly count: number; readonly size: string };
}

/** The listeners for HTTP and HTTPS. */
const LISTENERS = 2;

/** Hard limits of a ResourceQuota. */
export type Quota = Readonly<Record<string, string>>;

/** A solver, an exporter or a Job: more than any of them requests. */
const AUXILIARY_POD: Resources = {
    cpuRequest: "100m",
    cpuLimit: "500m",
    memoryRequest: "128Mi",
    memoryLimit: "256Mi",
};

/** Arguments of `namespaceQuotas`. */
export interface QuotaArgs {
    /** Most pods of each colour, and the resources of each. */
    readonly service: { readonly maxReplicas: number; readonly resources: Resources };
    /** Pods of Redis. Undefined: Redis is not part of the stack. */
    readonly redis:
        | {
              /** Number of pods. */
              readonly pods: number;
              /** Resources of the containers of each pod. */
              readonly containers: readonly Resources[];
              /** Size of each pod's volume, as a Kubernetes quantity. */
              readonly storage: string;
          }
        | undefined;
    /** Workloads of the monitoring namespace. */
    readonly monitoring: readonly WorkloadFootprint[];
    /**
     * Proxies that the gateway controller creates in the edge namespace.
     * @default none
     */
    readonly proxies?: ProvisionedProxies | undefined;
}

/**
 * Quotas that stop runaway workloads but no release. A colour must be able to roll out at the autoscaler's limit: at
 * worst each old pod still drains, and counts, while its successor runs. Hence twice the limit for each colour, since
 * both serve during a switch.
 */
export function namespaceQuotas({
    service,
    redis,
    monitoring,
    proxies,
}: QuotaArgs): Record<NamespaceRole, Quota> {
    const colour = quota([{ pods: 2 * service.maxReplicas, containers: [service.resources] }]);
    const auxiliaryPods = (pods: number): WorkloadFootprint => ({
        pods,
        containers: [AUXILIARY_POD],
    });
    return {
        blue: colour,
        green: colour,
        data: quota([
            ...(redis ? [redisFootprint(redis)] : []),
            // The Jobs that form and repair the cluster, and the exporter, each during an update.
            auxiliaryPods(6),
        ]),
        // Solvers of certificate challenges.
        edge: {
            ...quota([auxiliaryPods(4), ...(proxies ? [proxyFootprint(proxies)] : [])]),
            ...(proxies && serviceQuota(proxies)),
        },
        // A debugging pod, and a tool that queries Prometheus.
        monitoring: quota([...monitoring, auxiliaryPods(4)]),
    };
}

function proxyFootprint({ pods, containers, resources }: ProvisionedProxies): WorkloadFootprint {
    return { pods, containers: Array.from({ length: containers }, () => resources) };
}

/** One load balancer, which by default opens a node port for each of its ports. */
function serviceQuota({ servicePorts }: ProvisionedProxies): Quota {
    return {
        "services.loadbalancers": "1",
        "services.nodeports": `${LISTENERS + servicePorts.length}`,
    };
}

function redisFootprint({
    pods,
    containers,
    storage,
}: NonNullable<QuotaArgs["redis"]>): WorkloadFootprint {
    return { pods, containers, volumes: { count: pods, size: storage } };
}

/** Hard limits for workloads, without node ports and load balancers. */
export function quota(footprints: readonly WorkloadFootprint[]): Quota {
    const sum = (amount: (footprint: WorkloadFootprint) => number) =>
        footprints.reduce((total, footprint) => total + amount(footprint), 0);
    const cpus = (key: "cpuRequest" | "cpuLimit") =>
        formatCpu(
            sum((footprint) => sumOfPods(footprint, (container) => parseCpu(container[key]))),
        );
    const memory = (key: "memoryRequest" | "memoryLimit") =>
        formatBytes(
            sum((footprint) => sumOfPods(footprint, (container) => parseBytes(container[key]))),
        );
    const volumes = sum(({ volumes }) => volumes?.count ?? 0);
    const storage = sum(({ volumes }) =>
        volumes ? volumes.count * (parseBytes(volumes.size) ?? NaN) : 0,
    );
    return {
        pods: `${sum(({ pods }) => pods)}`,
        "requests.cpu": cpus("cpuRequest"),
        "limits.cpu": cpus("cpuLimit"),
        "requests.memory": memory("memoryRequest"),
        "limits.memory": memory("memoryLimit"),
        persistentvolumeclaims: `${volumes}`,
        "requests.storage": formatBytes(storage),
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    };
}

/** Sum of an amount over all containers of all pods. */
function sumOfPods(
    { pods, containers }: WorkloadFootprint,
    amount: (container: Resources) => number | undefined,
): number {
    return pods * containers.reduce((total, container) => total + (amount(container) ?? NaN), 0);
}
