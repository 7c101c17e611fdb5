import type { V1ConfigMap, V1Secret } from "@kubernetes/client-node";
import { MONITORING_NAMES, NAMESPACES, PORTS, PROMETHEUS_ACCESS } from "@property-search/contract";
import { ClusterError, readIfExists, type Cluster } from "./connect.ts";
import { forwardPort } from "./forward.ts";
import {
    createForwardedGet,
    findTarget,
    type Get,
    type ServiceAddress,
} from "./forwardedService.ts";

const TIMEOUT_MILLISECONDS = 8_000;
/** Host of a Service: its name, its namespace, "svc" and the cluster's domain. */
const SERVICE_HOST = /^([-a-z0-9]+)\.([-a-z0-9]+)\.svc(\.|$)/;

/**
 * Connects to Prometheus: the stack's own or an existing one inside the cluster by port-forward, one outside by HTTPS with
 * the stack's token.
 */
export async function prometheusAccess(cluster: Cluster): Promise<Get> {
    const { url, service, base, token } = await locatePrometheus(cluster);
    const get = service
        ? createForwardedGet(cluster, service, { token })
        : createHttpGet(url, token);
    return (path) => get(`${base}${path}`);
}

/** Prometheus for another program: a URL that this machine can reach. */
export interface ReachablePrometheus {
    readonly url: string;
    readonly token: string | undefined;
    /** Ends the port-forward, if there is one. */
    readonly close: () => Promise<void>;
}

/**
 * Forwards a port to one of Prometheus' pods. Unlike with `prometheusAccess`, calls fail once this pod is replaced.
 *
 * @throws ClusterError if there is no ready pod
 */
export async function forwardPrometheus(cluster: Cluster): Promise<ReachablePrometheus> {
    const { url, service, base, token } = await locatePrometheus(cluster);
    if (!service) return { url, token, close: () => Promise.resolve() };
    const forward = await forwardPort(cluster, await findTarget(cluster, service));
    return { url: `${forward.url}${base}`, token, close: forward.close };
}

interface Location {
    readonly url: string;
    /** Undefined: it is outside the cluster. */
    readonly service: ServiceAddress | undefined;
    /** Path of its API's root, without a slash at the end. */
    readonly base: string;
    readonly token: string | undefined;
}

async function locatePrometheus(cluster: Cluster): Promise<Location> {
    const named = {
        apiVersion: "v1",
        namespace: NAMESPACES.monitoring,
        name: PROMETHEUS_ACCESS.name,
    };
    const access = await readIfExists<V1ConfigMap>(cluster, { ...named, kind: "ConfigMap" });
    const url = access?.data?.[PROMETHEUS_ACCESS.url];
    if (url === undefined)
        return { url: "", service: STACK_PROMETHEUS, base: "", token: undefined };
    const secret = await readIfExists<V1Secret>(cluster, { ...named, kind: "Secret" });
    const encoded = secret?.data?.[PROMETHEUS_ACCESS.token];
    const token = encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString();
    const { pathname } = new URL(url);
    return { url, service: serviceOf(url), base: pathname.replace(/\/$/, ""), token };
}

const STACK_PROMETHEUS: ServiceAddress = {
    namespace: NAMESPACES.monitoring,
    name: MONITORING_NAMES.prometheus,
    port: PORTS.prometheus,
};

/** The Service of a URL; undefined if its host is outside the cluster. */
export function serviceOf(url: string): ServiceAddress | undefined {
    const { hostname, port } = new URL(url);
    const [, name, namespace] = SERVICE_HOST.exec(hostname) ?? [];
    if (name === undefined || namespace === undefined) return undefined;
    return { namespace, name, port: port === "" ? 80 : Number(port) };
}

function createHttpGet(url: string, token: string | undefined): Get {
    const { origin } = new URL(url);
    return async (path) => {
        const response = await fetch(`${origin}${path}`, {
            headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
            signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
        });
        if ([200, 400, 422].includes(response.status)) return response.json();
        throw new ClusterError(`${origin} responded with ${response.status}`);
    };
}
