import { inObjects, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inObjects(
        "stateful-service",
        "StatefulSet",
        "a Service that is not there",
        ({ spec }) => (spec.serviceName += "-1"),
    ),
    inObjects("stateful-service", "StatefulSet", "no Service", ({ spec }) => {
        delete spec.serviceName;
    }),
];
