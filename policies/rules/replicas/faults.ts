import { WORKLOADS, scales } from "../../faults/drafts.ts";
import { inObjects, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inObjects(
        "replicas",
        WORKLOADS,
        "replicas beside an autoscaler",
        ({ spec }) => (spec.replicas = 3),
        (workload, all) => all.some((one) => scales(one, workload)),
    ),
    inObjects(
        "replicas",
        "ScaledObject",
        "an autoscaler that goes down to one",
        ({ spec }) => (spec.minReplicaCount = 1),
    ),
];
