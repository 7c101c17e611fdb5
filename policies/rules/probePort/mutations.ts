import { hasHttpLiveness, hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "probe-port",
        "a probe of a port that is not there",
        ({ livenessProbe }) => (livenessProbe.httpGet.port = "htttp"),
        hasHttpLiveness,
    ),
    containerMutation(
        "probe-port",
        "a port renamed and its probes not",
        ({ ports }) => (ports[0].name = "renamed"),
        (container) =>
            container.ports?.length > 0 &&
            typeof container.livenessProbe?.httpGet?.port === "string",
    ),
    containerMutation(
        "probe-port",
        "a probe with two handlers",
        ({ readinessProbe }) =>
            Object.assign(readinessProbe, {
                tcpSocket: { port: 8001 },
                exec: { command: ["true"] },
            }),
        hasProbe("readinessProbe"),
    ),
];
