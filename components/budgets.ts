import type { NamespaceRole } from "@property-search/contract";
import { bytes, cpus, type StackConfig } from "../config.ts";
import type { Budget } from "./namespaces.ts";
import { MAX_SURGE_PERCENT } from "./colour.ts";
import { FORMATION, redisPods } from "./redis.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const NOTHING: Budget = {
    pods: 0,
    cpuRequests: 0,
    memoryRequests: 0,
    cpuLimits: 0,
    memoryLimits: 0,
    volumes: 0,
    storage: 0,
};

/**
 * What each namespace may hold: exactly what the stack can come to need, so that a quota never stops a
 * release and still stops a mistake. Both colours get the same, since each may carry all the traffic:
 * every pod that its autoscaler may ask for, plus the surge of a rollout at that size.
 */
export function budgets(config: StackConfig): Record<NamespaceRole, Budget> {
    const colour = colourBudget(config.service);
    return {
        blue: colour,
        green: colour,
        data: dataBudget(config.redis),
        // Pods here only answer the challenges of an ACME issuer.
        edge: config.certificates ? { ...NOTHING, ...small(4) } : NOTHING,
        // Prometheus, Alertmanager, Grafana and the exporter, each with one pod more while it is replaced.
        monitoring: { ...small(12), memoryLimits: 8 * GIB, volumes: 4, storage: 200 * GIB },
    };
}

function colourBudget(service: StackConfig["service"]): Budget {
    const pods = service.maxReplicas + surge(service.maxReplicas);
    return {
        ...NOTHING,
        pods,
        cpuRequests: pods * cpus(service.cpuRequest),
        memoryRequests: pods * bytes(service.memoryRequest),
        cpuLimits: pods * cpus(service.cpuLimit),
        memoryLimits: pods * bytes(service.memoryLimit),
    };
}

/** Pods more than wanted during a rollout; Kubernetes rounds up. */
function surge(replicas: number): number {
    return Math.ceil((replicas * MAX_SURGE_PERCENT) / 100);
}

function dataBudget(redis: StackConfig["redis"]): Budget {
    if (redis.mode === "external") return NOTHING;
    const pods = redisPods(redis.mode);
    // The Job that forms the cluster may have a failed pod beside its running one.
    const jobs = redis.mode === "cluster" ? 2 : 0;
    const memory = pods * bytes(redis.memoryLimit) + jobs * bytes(FORMATION.memory);
    return {
        pods: pods + jobs,
        cpuRequests: pods * cpus(redis.cpuRequest) + jobs * cpus(FORMATION.cpu),
        memoryRequests: memory,
        cpuLimits: pods * 2 * Math.max(1, cpus(redis.cpuRequest)) + jobs,
        memoryLimits: memory,
        volumes: pods,
        storage: pods * bytes(redis.storage),
    };
}

function small(pods: number): Budget {
    return {
        ...NOTHING,
        pods,
        cpuRequests: pods * 0.5,
        memoryRequests: pods * 512 * MIB,
        cpuLimits: pods,
        memoryLimits: pods * 512 * MIB,
    };
}
