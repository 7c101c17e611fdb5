import { Type } from "typebox";
import { containerRule } from "../../engine/rule.ts";
import { handlerOf, handlersOf, portOf, probesOf } from "../../kubernetes/probes.ts";
import { elsewhere, handled, probedPorts } from "./probedPorts.ts";

const EXAMPLE = { httpGet: { path: "/readyz", port: "http" } };

export const probePort = containerRule({
    name: "probe-port",
    title: "A probe has one handler, of a port that its container has.",
    why: "A probe of a port that is not there fails for ever: the pod gets no traffic, or is killed again and again.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#use-a-named-port",
    settings: {
        numbers: Type.Boolean({
            default: false,
            description:
                "a port by its number has to be among those declared too, where there are any; Kubernetes does not need it declared",
        }),
    },
    *check(container, { numbers }) {
        for (const { field, spec } of probesOf(container)) {
            const handlers = handlersOf(spec);
            const [handler] = handlers;
            if (handler === undefined || handlers.length > 1) {
                const isMissing = handler === undefined;
                const what = handled(field, handlers.join(" and ") || "no handler");
                const fix = { [field]: isMissing ? EXAMPLE : handlerOf(spec, handler) };
                yield { what, at: field, isMissing, fix };
                continue;
            }
            const port = portOf(spec);
            if (port === undefined || (typeof port === "number" && !numbers)) continue;
            const { ports = [] } = container.spec;
            const isName = typeof port === "string";
            if (!isName && ports.length === 0) continue;
            if (ports.some((one) => port === (isName ? one.name : one.containerPort))) continue;
            const [first] = ports;
            const has = ports.map((one) => one.name ?? one.containerPort).join(", ") || "none";
            const fix = first
                ? { [field]: { [handler]: { port: first.name ?? first.containerPort } } }
                : { ports: [{ name: port, containerPort: 8080 }] };
            const what = elsewhere(field, port, has);
            yield { what, at: `${field}.${handler}.port`, isMissing: true, fix };
        }
    },
    admission: ({ numbers }) => probedPorts(numbers),
});
