import { KubeConfig, PortForward, type V1Pod } from "@kubernetes/client-node";
import { LABELS, NAMESPACES, SERVICE_NAMES, type Colour } from "@property-search/contract";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { ClusterError, messageOf, type Cluster } from "../apply/cluster.ts";

/** Of what the client gives without retries; its own types for it are not there. */
interface WebSocket {
    readonly on: (event: "close", told: () => void) => void;
    readonly close: () => void;
}

export interface Forwarded {
    readonly namespace: string;
    readonly pod: string;
    /** Of the pod, its own loopback included. */
    readonly port: number;
}

/** Names of a colour's pods that are ready. */
export async function readyPods(cluster: Cluster, colour: Colour): Promise<readonly string[]> {
    const selector = `${LABELS.name}=${SERVICE_NAMES[colour]}`;
    const { items } = await cluster.objects.list<V1Pod>(
        "v1",
        "Pod",
        NAMESPACES[colour],
        undefined,
        undefined,
        undefined,
        undefined,
        selector,
    );
    return items
        .filter(({ metadata, status }) => {
            const ready = status?.conditions?.find(({ type }) => type === "Ready");
            return ready?.status === "True" && metadata?.deletionTimestamp === undefined;
        })
        .map(({ metadata }) => metadata?.name ?? "");
}

/**
 * Brings a pod's port to a free one of this machine's loopback, as `kubectl port-forward` does.
 *
 * @throws ClusterError with the API server's own words when the pod cannot be reached
 */
export async function forward(
    cluster: Cluster,
    { namespace, pod, port }: Forwarded,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
    const config = new KubeConfig();
    config.loadFromString(cluster.exportKubeconfig());
    const forwarding = new PortForward(config);
    const open = new Set<Socket>();

    const connect = async (socket: Socket): Promise<void> => {
        open.add(socket);
        socket.on("close", () => open.delete(socket));
        socket.on("error", () => socket.destroy());
        const there: unknown = await forwarding.portForward(
            namespace,
            pod,
            [port],
            socket,
            null,
            socket,
        );
        const websocket = there as WebSocket;
        websocket.on("close", () => socket.end());
        socket.on("close", () => websocket.close());
    };

    const server = createServer((socket) => {
        connect(socket).catch((error: unknown) => {
            socket.destroy(new Error(messageOf(error)));
        });
    });
    await reachable(cluster, { namespace, pod });
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

/** What a forward would only say by a connection that ends. */
async function reachable(
    cluster: Cluster,
    { namespace, pod }: Omit<Forwarded, "port">,
): Promise<void> {
    const metadata = { namespace, name: pod };
    const found = await cluster.objects
        .read<V1Pod>({ apiVersion: "v1", kind: "Pod", metadata })
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
