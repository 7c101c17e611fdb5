import { createServer, type ListenOptions, type Server, type Socket } from "node:net";

/**
 * libuv accepts one connection of a listening socket in each turn of its loop (libuv#3696), and a turn is as
 * long as the requests of all connections that are in: of a thousand that come at once under load, the last
 * wait for seconds. As many sockets at the same port let as many in.
 */
const SOCKETS = 16;
/** Elsewhere the kernel does not share a port out evenly, or at all. */
const SHARES_PORTS = process.platform === "linux";
const BACKLOG = 4_096;

/** Sockets that listen at one port, as one. */
export interface Doors {
    /** @throws Error that tells what to do when the port is taken. */
    readonly listen: (port: number, host?: string) => Promise<number>;
    /** Lets nobody in any more; done when all who are in have left. */
    readonly close: () => Promise<void>;
    /** Connections that are open. */
    readonly count: () => Promise<number>;
}

/**
 * @param server the first of them
 * @param take gets what comes in by the others, which is as by the first
 */
export function doors(server: Server, take: (socket: Socket) => void): Doors {
    const others = Array.from({ length: SHARES_PORTS ? SOCKETS - 1 : 0 }, () =>
        createServer({ allowHalfOpen: true, noDelay: true }, take),
    );
    const all = [server, ...others];

    return {
        listen: async (port, host) => {
            // Sockets that share a port would share another process' as well, and tell nobody.
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
                    ? new Error(`Port ${port} is in use: stop what listens there, or set PORT`)
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
