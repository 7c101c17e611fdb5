import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { ClusterError, type Cluster } from "./connect.ts";
import { connectPort, readyPods, type PodPort } from "./forward.ts";
import { once } from "node:events";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import { json } from "node:stream/consumers";

export interface ServiceAddress {
    readonly namespace: string;
    readonly name: string;
    readonly port: number;
}

/** @returns the JSON at a path of a Service. @throws Error for any failure, including a timeout */
export type Get = (path: string) => Promise<unknown>;

const TIMEOUT_MILLISECONDS = 8_000;

interface GetOptions {
    readonly timeoutMilliseconds?: number;
    readonly token?: string | undefined;
}

/**
 * Reads from a Service through port-forward to one of its ready pods. The API server's proxy would connect from an address
 * of the API server, which network policies of managed clusters cannot name. Each call selects a pod and opens a connection,
 * so that a pod that is replaced between two calls fails neither.
 *
 * @param options.timeoutMilliseconds timeout of a call, including its connection. Default: 8 s
 * @param options.token bearer token. Default: none
 */
export function createForwardedGet(
    cluster: Cluster,
    address: ServiceAddress,
    { timeoutMilliseconds = TIMEOUT_MILLISECONDS, token }: GetOptions = {},
): Get {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const service = `${address.namespace}/${address.name}`;
    return async (path) => {
        const deadline = AbortSignal.timeout(timeoutMilliseconds);
        let stream: Duplex | undefined;
        try {
            stream = await Promise.race([
                connect(cluster, address, deadline),
                rejectOnAbort(deadline),
            ]);
            const response = await readResponse(stream, { path, headers, signal: deadline });
            const { statusCode = 0 } = response;
            // Prometheus reports query errors as JSON.
            if ([200, 400, 422].includes(statusCode)) return await json(response);
            throw new Error(`${service} responded with ${statusCode}`);
        } catch (error) {
            if (!deadline.aborted) throw stream?.errored ?? error;
            throw new Error(`${service} did not answer within ${timeoutMilliseconds / 1000} s`);
        } finally {
            stream?.destroy();
        }
    };
}

async function readResponse(stream: Duplex, options: RequestOptions) {
    const asking = request({ createConnection: () => stream, host: "localhost", ...options });
    asking.end();
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    return response;
}

async function connect(
    cluster: Cluster,
    address: ServiceAddress,
    deadline: AbortSignal,
): Promise<Duplex> {
    const stream = await connectPort(cluster, await findTarget(cluster, address));
    // The caller has given up on a late connection.
    if (deadline.aborted) stream.destroy();
    return stream;
}

async function rejectOnAbort(signal: AbortSignal): Promise<never> {
    await once(signal, "abort");
    throw new Error("aborted");
}

/** Selects a ready pod of the Service and its container port. */
export async function findTarget(
    cluster: Cluster,
    { namespace, name, port }: ServiceAddress,
): Promise<PodPort> {
    const service = await cluster.objects.read<V1Service>({
        apiVersion: "v1",
        kind: "Service",
        namespace,
        name,
    });
    const [pod] = await readyPods(cluster, namespace, service.spec?.selector ?? {});
    if (pod === undefined) throw new ClusterError(`${namespace}/${name} has no ready pod`);
    const target = service.spec?.ports?.find((one) => one.port === port)?.targetPort ?? port;
    return {
        namespace,
        pod: pod.metadata?.name ?? "",
        port: typeof target === "number" ? target : findPort(pod, target),
    };
}

function findPort({ metadata, spec }: V1Pod, name: string): number {
    const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
    const found = ports.find((port) => port.name === name)?.containerPort;
    if (found !== undefined) return found;
    throw new ClusterError(`pod ${metadata?.name ?? ""} has no port ${name}`);
}
