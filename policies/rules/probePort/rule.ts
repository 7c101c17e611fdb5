import { Type } from "typebox";
import { containerRule } from "../../engine/rule.ts";
import { getHandler, listHandlers, getPort, listProbes } from "../../kubernetes/probes.ts";
import { undeclaredPort, wrongHandlers, portChecks } from "./probedPorts.ts";

const EXAMPLE = { httpGet: { path: "/readyz", port: "http" } };

export const probePort = containerRule({
    name: "probe-port",
    title: "Every probe has exactly one handler, and its port exists in the container.",
    why: "A probe of a missing port always fails: the pod gets no traffic, or is restarted repeatedly.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#use-a-named-port",
    settings: {
        requireDeclaredPorts: Type.Boolean({
            default: false,
            description:
                "whether numeric ports must be declared too, if the container declares any; Kubernetes does not require it",
        }),
    },
    *check(container, { requireDeclaredPorts }) {
        for (const { field, spec } of listProbes(container)) {
            const handlers = listHandlers(spec);
            const [handler] = handlers;
            if (handler === undefined || handlers.length > 1) {
                const isMissing = handler === undefined;
                const message = wrongHandlers(field, handlers.join(" and ") || "no handler");
                const fix = { [field]: isMissing ? EXAMPLE : getHandler(spec, handler) };
                yield { message, path: field, isMissing, fix };
                continue;
            }
            const port = getPort(spec);
            if (port === undefined || (typeof port === "number" && !requireDeclaredPorts)) continue;
            const { ports = [] } = container.spec;
            const isName = typeof port === "string";
            if (!isName && ports.length === 0) continue;
            if (ports.some((one) => port === (isName ? one.name : one.containerPort))) continue;
            const [first] = ports;
            const has = ports.map((one) => one.name ?? one.containerPort).join(", ") || "none";
            const fix = first
                ? { [field]: { [handler]: { port: first.name ?? first.containerPort } } }
                : { ports: [{ name: port, containerPort: 8080 }] };
            const message = undeclaredPort(field, port, has);
            yield { message, path: `${field}.${handler}.port`, isMissing: true, fix };
        }
    },
    admission: ({ requireDeclaredPorts }) => portChecks(requireDeclaredPorts),
});
