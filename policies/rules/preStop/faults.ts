import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "pre-stop",
        "no pause before it ends",
        (container) => delete container.lifecycle,
        (container) => container.lifecycle?.preStop !== undefined,
    ),
];
