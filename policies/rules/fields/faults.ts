import { inContainers, inObjects, type Draft, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers("fields", "a field that is misspelt", (one) => {
        one.resources.limit = one.resources.limits;
        delete one.resources.limits;
    }),
    inContainers(
        "fields",
        "a port that is text",
        ({ ports }) => (ports[0].containerPort = `${ports[0].containerPort}`),
        ({ ports }) => ports?.length > 0,
    ),
    inContainers(
        "fields",
        "variables as a map",
        (one) =>
            (one.env = Object.fromEntries(one.env.map(({ name, value }: Draft) => [name, value]))),
        ({ env }) => env?.length > 0,
    ),
    inObjects(
        "fields",
        "Service",
        "a selector in the wrong place",
        (one) => (one.selector = one.spec.selector),
    ),
];
