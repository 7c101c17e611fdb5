import { asks, limits } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "quantities",
        "thousandths of a byte",
        ({ resources }) => (resources.requests.memory = "512m"),
        asks("memory"),
    ),
    inContainers(
        "quantities",
        "a quantity that is none",
        ({ resources }) => (resources.limits.memory = "2GB"),
        limits("memory"),
    ),
    inContainers(
        "quantities",
        "a request above the limit",
        ({ resources }) => (resources.requests.cpu = "64"),
        limits("cpu"),
    ),
];
