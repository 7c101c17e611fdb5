import { hasHttpLiveness, hasProbe } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "a probe of a port that is not there",
        ({ livenessProbe }) => (livenessProbe.httpGet.port = "htttp"),
        hasHttpLiveness,
    ),
    containerMutation(
        "a port renamed and its probes not",
        ({ ports }) => (ports[0].name = "renamed"),
        (container) =>
            container.ports?.length > 0 &&
            typeof container.livenessProbe?.httpGet?.port === "string",
    ),
    containerMutation(
        "a probe with two handlers",
        ({ readinessProbe }) =>
            Object.assign(readinessProbe, {
                tcpSocket: { port: 8001 },
                exec: { command: ["true"] },
            }),
        hasProbe("readinessProbe"),
    ),
];
