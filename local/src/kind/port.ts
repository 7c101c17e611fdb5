import { once } from "node:events";
import { createServer } from "node:net";
import { LocalError } from "../shell.ts";

/** Address of this machine at which the gateway answers. */
export const HOST_ADDRESS = "127.0.0.1";

const DEFAULT_PORT = 8080;
const [LOWEST, HIGHEST] = [1024, 65_535];

/** Ports that the node itself listens on: etcd, Kubernetes, kube-proxy, the gateway's metrics. */
const NODE_PORTS = [2379, 2380, 2381, 6443, 8081, 10_248, 10_249, 10_250, 10_256, 10_257, 10_259];

/**
 * The gateway's port: the same on this machine, on the node, and as the Gateway's listener.
 *
 * @param requested value of PORT
 * @param present port of the cluster that exists, which its container keeps
 * @throws LocalError for a port that cannot be used
 */
export function choosePort(requested: string | undefined, present: number | undefined): number {
    if (requested === undefined || requested === "") return present ?? DEFAULT_PORT;
    const port = Number(requested);
    const isPort = /^\d+$/.test(requested) && port >= LOWEST && port <= HIGHEST;
    if (!isPort || NODE_PORTS.includes(port)) {
        throw new LocalError(
            `PORT is "${requested}"; allowed: ${LOWEST} to ${HIGHEST}, without ${NODE_PORTS.join(", ")}`,
        );
    }
    return port;
}

/** @throws LocalError when another program listens on a port of this machine */
export async function requireFreePort(port: number): Promise<void> {
    const server = createServer();
    try {
        server.listen(port, HOST_ADDRESS);
        await once(server, "listening");
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "EADDRINUSE") throw error;
        throw new LocalError(
            `PORT is "${port}", on which another program of this machine listens; ` +
                "allowed: a free port, such as make up PORT=18080",
        );
    } finally {
        server.close();
    }
}
