import { limits } from "../../faults/drafts.ts";
import { inContainers, inPods, type Draft, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "ephemeral-storage",
        "no limit of its disk",
        ({ resources }) => delete resources.limits["ephemeral-storage"],
        limits("ephemeral-storage"),
    ),
    inPods(
        "ephemeral-storage",
        "a scratch volume without end",
        ({ volumes }) =>
            delete volumes.find((one: Draft) => one.emptyDir?.sizeLimit).emptyDir.sizeLimit,
        (pod) => (pod.volumes ?? []).some((one: Draft) => one.emptyDir?.sizeLimit),
    ),
];
