import { limits } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "memory-limit",
        "no memory limit",
        ({ resources }) => delete resources.limits.memory,
        limits("memory"),
    ),
    inContainers(
        "memory-limit",
        "a memory limit of eight times the request",
        ({ resources }) =>
            Object.assign(resources, {
                requests: { ...resources.requests, memory: "1Gi" },
                limits: { ...resources.limits, memory: "8Gi" },
            }),
        limits("memory"),
    ),
];
