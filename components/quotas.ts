import {
    formatBytes,
    formatCpu,
    parseBytes,
    parseCpu,
    type NamespaceRole,
} from "@property-search/contract";
import type { ProvisionedProxies } from "./edge/controllers.ts";
import type { Resources } from "./workload.ts";

/** What runs in a namespace at most: pods of one make, and volumes. */
export interface WorkloadFootprint {
    readonly pods: number;
    readonly containers: readonly Resources[];
    readonly volumes?: { readonly count: number; readonly size: string };
}

/** HTTP and HTTPS. */
const LISTENERS = 2;

/** Hard limits of a ResourceQuota. */
export type Quota = Readonly<Record<string, string>>;

/** A pod of the edge, of an exporter, of a Job: more than any of them asks for. */
const AUXILIARY_POD: Resources = {
    cpuRequest: "100m",
    cpuLimit: "500m",
    memoryRequest: "128Mi",
    memoryLimit: "256Mi",
};

export interface QuotaArgs {
    readonly service: { readonly maxReplicas: number; readonly resources: Resources };
    /** Undefined: no Redis of our own. */
    readonly redis:
        | {
              readonly pods: number;
              readonly containers: readonly Resources[];
              /** Size of each pod's volume. */
              readonly storage: string;
          }
        | undefined;
    readonly monitoring: readonly WorkloadFootprint[];
    /** Proxies that the gateway's controller makes in the edge namespace. Default: none. */
    readonly proxies?: ProvisionedProxies | undefined;
}

/**
 * Quotas that stop runaways and never a release. A colour must be able to roll out while it stands at
 * the autoscaler's limit: at worst each of its pods still drains, and counts, while its successor runs.
 * Hence twice the limit, for each colour at the same time, since a switch serves from both.
 */
export function namespaceQuotas({
    service,
    redis,
    monitoring,
    proxies,
}: QuotaArgs): Record<NamespaceRole, Quota> {
    const colour = quota([{ pods: 2 * service.maxReplicas, containers: [service.resources] }]);
    const helpers = (pods: number): WorkloadFootprint => ({ pods, containers: [AUXILIARY_POD] });
    return {
        blue: colour,
        green: colour,
        data: quota([
            ...(redis ? [redisFootprint(redis)] : []),
            // The Jobs that form and repair the cluster, each and its predecessor, an exporter and its successor.
            helpers(6),
        ]),
        // Solvers of certificate challenges.
        edge: {
            ...quota([helpers(4), ...(proxies ? [proxyFootprint(proxies)] : [])]),
            ...(proxies && serviceQuota(proxies)),
        },
        // Room for a debugging pod, and for a tool that asks Prometheus.
        monitoring: quota([...monitoring, helpers(4)]),
    };
}

function proxyFootprint({ pods, containers, resources }: ProvisionedProxies): WorkloadFootprint {
    return { pods, containers: Array.from({ length: containers }, () => resources) };
}

/** One load balancer, which by default opens a port of the nodes for each of its own. */
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

/** Hard limits for loads; nobody but the Gateway lets traffic in. */
export function quota(loads: readonly WorkloadFootprint[]): Quota {
    const sum = (amount: (load: WorkloadFootprint) => number) =>
        loads.reduce((total, load) => total + amount(load), 0);
    const cpus = (key: "cpuRequest" | "cpuLimit") =>
        formatCpu(sum((load) => perPod(load, (container) => parseCpu(container[key]))));
    const memory = (key: "memoryRequest" | "memoryLimit") =>
        formatBytes(sum((load) => perPod(load, (container) => parseBytes(container[key]))));
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

/** An amount of all containers of all pods of a load. */
function perPod(
    { pods, containers }: WorkloadFootprint,
    amount: (container: Resources) => number | undefined,
): number {
    return pods * containers.reduce((total, container) => total + (amount(container) ?? NaN), 0);
}
