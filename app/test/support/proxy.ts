import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** A network between client and server that a test can degrade. */
export interface Proxy {
    readonly port: number;
    readonly url: URL;
    /** Delays each piece of a reply. */
    delayMilliseconds: number;
    /** Resets each connection after this many more bytes of replies, then works normally. */
    readonly resetAfter: (bytes: number) => void;
    /** Connections stay open, but no data arrives any more, as after the loss of a node. */
    readonly swallow: () => void;
    readonly stop: () => Promise<void>;
}

export async function startProxy(target: number): Promise<Proxy> {
    const pairs = new Set<{ readonly client: Socket; readonly server: Socket; mute: boolean }>();
    let left = Infinity;
    const listener = createServer((client) => {
        const server = connect(target, "127.0.0.1");
        const pair = { client, server, mute: false };
        pairs.add(pair);
        const end = (): void => {
            pairs.delete(pair);
            client.destroy();
            server.destroy();
        };
        for (const socket of [client, server]) socket.on("error", end).on("close", end);
        client.on("data", (bytes: Buffer) => {
            if (!pair.mute) server.write(bytes);
        });
        // Sequential, so that pieces stay in order despite their delays.
        let last = Promise.resolve();
        server.on("data", (bytes: Buffer) => {
            const arrival = performance.now();
            last = last.then(async () => {
                const later = proxy.delayMilliseconds - (performance.now() - arrival);
                if (later > 0) await wait(later);
                if (pair.mute || client.destroyed) return;
                client.write(bytes.subarray(0, left));
                if (bytes.length <= left) {
                    left -= bytes.length;
                    return;
                }
                left = Infinity;
                for (const each of pairs) each.client.resetAndDestroy();
            });
        });
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    const proxy: Proxy = {
        port,
        url: new URL(`redis://127.0.0.1:${port}`),
        delayMilliseconds: 0,
        resetAfter: (bytes) => {
            left = bytes;
        },
        swallow: () => {
            for (const pair of pairs) pair.mute = true;
        },
        stop: async () => {
            for (const { client } of pairs) client.destroy();
            await new Promise((resolve) => listener.close(resolve));
        },
    };
    return proxy;
}
