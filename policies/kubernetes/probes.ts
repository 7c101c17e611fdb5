import type { V1Probe } from "@kubernetes/client-node";
import { cel, type Cel } from "../cel/cel.ts";
import { known } from "./object.ts";
import type { Container } from "./pods.ts";

const FIELDS = ["startupProbe", "readinessProbe", "livenessProbe"] as const;
export const HANDLERS = ["httpGet", "tcpSocket", "exec", "grpc"] as const;
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

/** A handler of it, to be written into another probe; none where it is not known. */
export function handlerOf(probe: V1Probe, handler?: Handler): Partial<V1Probe> {
    const text = known(() => {
        const [name = "exec"] = handler ? [handler] : handlersOf(probe);
        return JSON.stringify({ [name]: probe[name] });
    });
    return JSON.parse(text ?? "{}") as Partial<V1Probe>;
}

/** In CEL the fields with the probes of a container `c`, in the order in which they begin. */
export const PROBES = cel`${FIELDS}.filter(f, f in c)`;

/**
 * Seconds of failing until Kubernetes acts, with its defaults. Probes of a container never overlap, so that one
 * that times out later than the next is due makes that one wait.
 */
export function actsAfter({
    failureThreshold = 3,
    periodSeconds = 10,
    timeoutSeconds = 1,
}: V1Probe): number {
    return failureThreshold * Math.max(periodSeconds, timeoutSeconds);
}

/** The same of a probe in CEL. */
export function afterOf(probe: Cel): Cel {
    return cel`${probe}.?failureThreshold.orValue(3) * [${probe}.?periodSeconds.orValue(10), ${probe}.?timeoutSeconds.orValue(1)].max()`;
}
