import { inContainers, inPods, type Draft, type Fault } from "./fault.ts";

const asks = (what: string) => (container: Draft) =>
    container.resources?.requests?.[what] !== undefined;
const limits = (what: string) => (container: Draft) =>
    container.resources?.limits?.[what] !== undefined;

/** Faults of requests and limits. */
export const resources: readonly Fault[] = [
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
    inContainers(
        "cpu-limit",
        "no cpu limit",
        ({ resources }) => delete resources.limits.cpu,
        limits("cpu"),
    ),
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
