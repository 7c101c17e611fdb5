import type { V1Probe } from "@kubernetes/client-node";
import { known } from "./object.ts";
import type { Container } from "./pods.ts";

const FIELDS = ["startupProbe", "readinessProbe", "livenessProbe"] as const;
const HANDLERS = ["httpGet", "tcpSocket", "exec", "grpc"] as const;
type Handler = (typeof HANDLERS)[number];

export interface Probe {
    readonly field: (typeof FIELDS)[number];
    readonly spec: V1Probe;
}

/** The probes that a container has, in the order in which they begin. */
export function* probesOf({ spec }: Container): Generator<Probe, void> {
    for (const field of FIELDS) {
        const probe = spec[field];
        if (probe) yield { field, spec: probe };
    }
}

/** Which of them it has; the API server takes exactly one. */
export function handlersOf(probe: V1Probe): Handler[] {
    return HANDLERS.filter((handler) => probe[handler]);
}

/** A name or a number, as it stands there; a command has none. */
export function portOf({ httpGet, tcpSocket, grpc }: V1Probe): string | number | undefined {
    return (httpGet ?? tcpSocket ?? grpc)?.port;
}

/** What a probe asks, such as `GET /livez on port 8080`: the same words for the same question. */
export function questionOf(container: Container, probe: V1Probe): string | undefined {
    const { httpGet, tcpSocket, exec, grpc } = probe;
    const named = portOf(probe);
    const ports = typeof named === "string" ? (container.spec.ports ?? []) : [];
    const port = ports.find(({ name }) => name === named)?.containerPort ?? named;
    if (httpGet) {
        const { path = "/", host } = httpGet;
        return `GET ${path} on port ${port}${host === undefined ? "" : ` of ${host}`}`;
    }
    if (tcpSocket) return `a connection to port ${port}`;
    if (grpc) return `gRPC health of "${grpc.service ?? ""}" on port ${port}`;
    return exec?.command?.join(" ");
}

/** A handler of it, to be written into another probe; none where it is not known. */
export function handlerOf(probe: V1Probe, handler?: Handler): Partial<V1Probe> {
    const text = known(() => {
        const [name = "exec"] = handler ? [handler] : handlersOf(probe);
        return JSON.stringify({ [name]: probe[name] });
    });
    return JSON.parse(text ?? "{}") as Partial<V1Probe>;
}

/** Seconds of failing until Kubernetes acts, with its defaults. */
export function actsAfter({ failureThreshold = 3, periodSeconds = 10 }: V1Probe): number {
    return failureThreshold * periodSeconds;
}
