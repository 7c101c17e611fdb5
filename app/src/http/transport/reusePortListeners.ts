import { createServer, type ListenOptions, type Server, type Socket } from "node:net";

/**
 * libuv accepts one connection per listening socket and loop iteration (libuv#3696), and an iteration serves
 * the requests of all connections. Of a thousand simultaneous connections under load, the last would wait for
 * seconds. This many sockets accept this many connections per iteration.
 */
const SOCKETS = 16;
/** Other systems do not balance connections across the sockets, or do not support it. */
const SHARES_PORTS = process.platform === "linux";
const BACKLOG = 4_096;

/** Several sockets that listen on one port (SO_REUSEPORT). */
export interface Doors {
    /** @throws Error with the remedy if the port is in use */
    readonly listen: (port: number, host?: string) => Promise<number>;
    /** Stops accepting connections; resolves when all connections have closed. */
    readonly close: () => Promise<void>;
    /** Number of open connections. */
    readonly count: () => Promise<number>;
}

/**
 * @param server the first listener
 * @param accept handles connections of the other listeners, as the first does
 */
export function doors(server: Server, take: (socket: Socket) => void): Doors {
    const others = Array.from({ length: SHARES_PORTS ? SOCKETS - 1 : 0 }, () =>
        createServer({ allowHalfOpen: true, noDelay: true }, take),
    );
    const all = [server, ...others];

    return {
        listen: async (port, host) => {
            // Otherwise the sockets would silently share the port with another process.
            if (SHARES_PORTS && port !== 0) {
                const alone = createServer();
                await listening(alone, { port, host });
                await ended(alone);
            }
            const shared = { host, backlog: BACKLOG, reusePort: SHARES_PORTS };
            const first = await listening(server, { ...shared, port });
            await Promise.all(others.map((one) => listening(one, { ...shared, port: first })));
            return first;
        },
        close: async () => {
            await Promise.all(all.filter((one) => one.listening).map(ended));
        },
        count: async () => {
            const counts = await Promise.all(all.map(connections));
            return counts.reduce((sum, count) => sum + count, 0);
        },
    };
}

/** @returns the port */
function listening(server: Server, options: ListenOptions): Promise<number> {
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

function ended(server: Server): Promise<void> {
    return new Promise((resolve) => {
        server.close(() => resolve());
    });
}

function connections(server: Server): Promise<number> {
    return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}
