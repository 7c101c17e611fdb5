import type { V1Probe } from "@kubernetes/client-node";
import { cel, type Cel } from "../cel/cel.ts";
import { ifKnown } from "./object.ts";
import type { Container } from "./pods.ts";

const FIELDS = ["startupProbe", "readinessProbe", "livenessProbe"] as const;
export const HANDLERS = ["httpGet", "tcpSocket", "exec", "grpc"] as const;
type Handler = (typeof HANDLERS)[number];

export interface Probe {
    readonly field: (typeof FIELDS)[number];
    readonly spec: V1Probe;
}

/** Lists the probes of a container, in the order in which they start. */
export function* listProbes({ spec }: Container): Generator<Probe, void> {
    for (const field of FIELDS) {
        const probe = spec[field];
        if (probe) yield { field, spec: probe };
    }
}

/** Lists the handlers of a probe; the API server accepts exactly one. */
export function listHandlers(probe: V1Probe): Handler[] {
    return HANDLERS.filter((handler) => probe[handler]);
}

/** @returns the name or number of a probe's port; undefined for a command. */
export function getPort({ httpGet, tcpSocket, grpc }: V1Probe): string | number | undefined {
    return (httpGet ?? tcpSocket ?? grpc)?.port;
}

/** @returns a handler of a probe, to be copied to another probe; empty if it is unknown. */
export function getHandler(probe: V1Probe, handler?: Handler): Partial<V1Probe> {
    const text = ifKnown(() => {
        const [name = "exec"] = handler ? [handler] : listHandlers(probe);
        return JSON.stringify({ [name]: probe[name] });
    });
    return JSON.parse(text ?? "{}") as Partial<V1Probe>;
}

/** CEL for the probe fields of a container `c`, in the order in which they start. */
export const PROBES = cel`${FIELDS}.filter(f, f in c)`;

/**
 * @returns the seconds of failures until Kubernetes acts, with its defaults. Probes of a container never overlap, so
 *   a timeout longer than the period delays the next probe.
 */
export function secondsUntilAction({
    failureThreshold = 3,
    periodSeconds = 10,
    timeoutSeconds = 1,
}: V1Probe): number {
    return failureThreshold * Math.max(periodSeconds, timeoutSeconds);
}

/** The same in CEL. */
export function secondsUntilActionInCel(probe: Cel): Cel {
    return cel`${probe}.?failureThreshold.orValue(3) * [${probe}.?periodSeconds.orValue(10), ${probe}.?timeoutSeconds.orValue(1)].max()`;
}
