import { inObjects, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inObjects(
        "api-versions",
        "PodDisruptionBudget",
        "a version that is gone",
        (one) => (one.apiVersion = "policy/v1beta1"),
    ),
    inObjects(
        "api-versions",
        "NetworkPolicy",
        "the group of long ago",
        (one) => (one.apiVersion = "extensions/v1beta1"),
    ),
];
