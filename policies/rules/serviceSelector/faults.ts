import { inObjects, offByOne, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inObjects(
        "service-selector",
        "Service",
        "a selector that is off by one",
        ({ spec }) => offByOne(spec.selector),
        ({ spec }) => spec.selector !== undefined,
    ),
    inObjects(
        "service-selector",
        "Service",
        "a port that no container has",
        ({ spec }) => (spec.ports[0].targetPort = "htttp"),
        ({ spec }) => spec.selector !== undefined && spec.ports?.length > 0,
    ),
    inObjects(
        "service-selector",
        ["Deployment", "StatefulSet"],
        "pods that their own selector does not take",
        ({ spec }) => offByOne(spec.selector.matchLabels),
    ),
];
