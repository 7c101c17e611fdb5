import { asks } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    ...["cpu", "memory"].map((what) =>
        inContainers(
            "resource-requests",
            `no ${what} request`,
            ({ resources }) => delete resources.requests[what],
            asks(what),
        ),
    ),
    inContainers(
        "resource-requests",
        "no requests at all",
        ({ resources }) => delete resources.requests,
    ),
];
