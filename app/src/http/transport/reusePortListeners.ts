import { createServer, type ListenOptions, type Server, type Socket } from "node:net";

/**
 * libuv accepts one connection per listening socket and loop iteration (libuv#3696), and an iteration serves
 * the requests of all connections. Of a thousand simultaneous connections under load, the last would wait for
 * seconds. This many sockets accept this many connections per iteration.
 */
const LISTENER_COUNT = 16;
/** Other systems do not balance connections across the sockets, or do not support it. */
const SUPPORTS_REUSE_PORT = process.platform === "linux";
const BACKLOG = 4_096;

/** Several sockets that listen on one port (SO_REUSEPORT). */
export interface Listeners {
    /** @throws Error with the remedy if the port is in use */
    readonly listen: (port: number, host?: string) => Promise<number>;
    /** Stops accepting connections; resolves when all connections have closed. */
    readonly close: () => Promise<void>;
    /** Number of open connections. */
    readonly countConnections: () => Promise<number>;
}

/**
 * @param server the first listener
 * @param accept handles connections of the other listeners, as the first does
 */
export function createListeners(server: Server, accept: (socket: Socket) => void): Listeners {
    const others = Array.from({ length: SUPPORTS_REUSE_PORT ? LISTENER_COUNT - 1 : 0 }, () =>
        createServer({ allowHalfOpen: true, noDelay: true }, accept),
    );
    const all = [server, ...others];

    return {
        listen: async (port, host) => {
            // Otherwise the sockets would silently share the port with another process.
            if (SUPPORTS_REUSE_PORT && port !== 0) {
                const probe = createServer();
                await listenOn(probe, { port, host });
                await close(probe);
            }
            const shared = { host, backlog: BACKLOG, reusePort: SUPPORTS_REUSE_PORT };
            const first = await listenOn(server, { ...shared, port });
            await Promise.all(others.map((one) => listenOn(one, { ...shared, port: first })));
            return first;
        },
        close: async () => {
            await Promise.all(all.filter((one) => one.listening).map(close));
        },
        countConnections: async () => {
            const counts = await Promise.all(all.map(getConnectionCount));
            return counts.reduce((sum, count) => sum + count, 0);
        },
    };
}

/** @returns the port */
function listenOn(server: Server, options: ListenOptions): Promise<number> {
    const { port = 0 } = options;
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => {
            const { code } = error;
            reject(
                code === "EADDRINUSE"
                    ? new Error(
                          `Port ${port} is in use: stop the process that listens on it, or set PORT`,
                      )
                    : error,
            );
        });
        server.listen(options, () => {
            const address = server.address();
            resolve(typeof address === "object" && address ? address.port : port);
        });
    });
}

function close(server: Server): Promise<void> {
    return new Promise((resolve) => {
        server.close(() => resolve());
    });
}

function getConnectionCount(server: Server): Promise<number> {
    return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}
