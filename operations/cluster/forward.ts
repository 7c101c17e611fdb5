import { KubeConfig, PortForward, type V1Pod } from "@kubernetes/client-node";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { duplexPair, Writable, type Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ClusterError, messageOf, type Cluster } from "./connect.ts";

/** The used part of the client's WebSocket, which has no types of its own. */
interface WebSocket {
    readonly on: (event: "close", listener: () => void) => void;
    readonly close: () => void;
}

export interface PodPort {
    readonly namespace: string;
    readonly pod: string;
    /** Port of the pod, including ports on its loopback. */
    readonly port: number;
}

/** Pods with these labels that are ready and not terminating. */
export async function readyPods(
    cluster: Cluster,
    namespace: string,
    labels: Readonly<Record<string, string>>,
): Promise<readonly V1Pod[]> {
    const selector = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    const { items } = await cluster.objects.list<V1Pod>("v1", "Pod", {
        namespace,
        labelSelector: selector.join(","),
    });
    return items.filter(({ metadata, status }) => {
        const ready = status?.conditions?.find(({ type }) => type === "Ready");
        return ready?.status === "True" && metadata?.deletionTimestamp === undefined;
    });
}

/**
 * Connects to a pod's port through the API server and the pod's node, like `kubectl port-forward`; the pod's network
 * policies do not apply.
 *
 * @throws Error if the API server rejects the connection; later errors of the node end the stream
 */
export async function connectPort(
    cluster: Cluster,
    { namespace, pod, port }: PodPort,
): Promise<Duplex> {
    const config = new KubeConfig();
    config.loadFromString(cluster.exportKubeconfig());
    const [near, far] = duplexPair();
    // The error may precede the reader, which then finds it in `errored`.
    near.on("error", () => undefined);
    const errors = new Writable({
        write: (chunk: Buffer, _, done) => {
            // The client removes the first message of each channel, which is the port.
            const words = chunk.toString().trim();
            if (words !== "") near.destroy(new ClusterError(`pod ${namespace}/${pod}: ${words}`));
            done();
        },
    });
    const forwarding = new PortForward(config);
    const connection: unknown = await forwarding
        .portForward(namespace, pod, [port], far, errors, far)
        .catch((error: unknown) => {
            throw new ClusterError(
                `pod ${namespace}/${pod} cannot be reached: ${messageOf(error)}`,
            );
        });
    const websocket = connection as WebSocket;
    websocket.on("close", () => far.end());
    near.on("close", () => websocket.close());
    if (!near.destroyed) return near;
    websocket.close();
    throw near.errored ?? new ClusterError(`pod ${namespace}/${pod} ended the connection`);
}

/**
 * Forwards a pod's port to a free port on this machine's loopback.
 *
 * @throws ClusterError with the API server's message if the pod cannot be reached
 */
export async function forwardPort(
    cluster: Cluster,
    target: PodPort,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
        open.add(socket);
        socket.on("close", () => open.delete(socket));
        connectPort(cluster, target)
            .then((stream) => pipeline(socket, stream, socket))
            .catch((error: unknown) => socket.destroy(new Error(messageOf(error))));
        socket.on("error", () => socket.destroy());
    });
    await assertRunning(cluster, target);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port: local } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${local}`,
        close: async () => {
            for (const socket of open) socket.destroy();
            server.close();
            await once(server, "close");
        },
    };
}

/** Reports a pod that does not run, for which a forward would only end its connections. */
async function assertRunning(
    cluster: Cluster,
    { namespace, pod }: Omit<PodPort, "port">,
): Promise<void> {
    const found = await cluster.objects
        .read<V1Pod>({ apiVersion: "v1", kind: "Pod", namespace, name: pod })
        .catch((error: unknown) => {
            throw new ClusterError(
                `pod ${namespace}/${pod} cannot be reached: ${messageOf(error)}`,
            );
        });
    if (found.status?.phase === "Running") return;
    throw new ClusterError(
        `pod ${namespace}/${pod} cannot be reached: it is ${found.status?.phase ?? "unknown"}`,
    );
}
