import { WORKLOADS, several } from "../../faults/drafts.ts";
import { inObjects, offByOne, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inObjects(
        "topology-spread",
        WORKLOADS,
        "pods that may all be on one node",
        ({ spec }) => {
            delete spec.template.spec.topologySpreadConstraints;
            delete spec.template.spec.affinity;
        },
        several,
    ),
    inObjects(
        "topology-spread",
        WORKLOADS,
        "spread by labels that its pods do not have",
        ({ spec }) => {
            for (const one of spec.template.spec.topologySpreadConstraints)
                offByOne(one.labelSelector.matchLabels);
        },
        (workload, all) =>
            several(workload, all) &&
            workload.spec.template.spec.topologySpreadConstraints?.length > 0,
    ),
    inObjects(
        "topology-spread",
        "Deployment",
        "spread with the pods of the last version",
        ({ spec }) => {
            for (const one of spec.template.spec.topologySpreadConstraints)
                delete one.matchLabelKeys;
        },
        (workload, all) =>
            several(workload, all) &&
            workload.spec.template.spec.topologySpreadConstraints?.length > 0,
    ),
];
