import { limits } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "cpu-limit",
        "no cpu limit",
        ({ resources }) => delete resources.limits.cpu,
        limits("cpu"),
    ),
];
