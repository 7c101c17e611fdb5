import { inPods, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inPods(
        "service-account",
        "a token that nobody needs",
        (pod) => (pod.automountServiceAccountToken = true),
        (pod) => pod.automountServiceAccountToken === false,
    ),
    inPods(
        "service-account",
        "the token not refused",
        (pod) => delete pod.automountServiceAccountToken,
        (pod) => pod.automountServiceAccountToken === false,
    ),
];
