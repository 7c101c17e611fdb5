import { afterEach, describe, expect, test } from "@jest/globals";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

import { createListeners } from "../../src/http/transport/reusePortListeners.ts";

const CLIENTS = 100;

const clients: Socket[] = [];
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await Promise.all(closing.splice(0).map((close) => close()));
});

/** Listeners of a server that greets every connection. */
function greeting() {
    const greet = (socket: Socket) => {
        socket.on("error", () => undefined).on("end", () => socket.end());
        socket.resume().write("hello");
    };
    const opened = createListeners(createServer(greet), greet);
    closing.push(opened.close);
    return opened;
}

/** @returns the greeting */
async function enter(port: number): Promise<string> {
    const client = connect(port, "127.0.0.1");
    clients.push(client);
    const [greeted] = (await once(client, "data")) as [Buffer];
    return greeted.toString();
}

describe("listeners", () => {
    test("accept all simultaneous connections, on any socket", async () => {
        const { listen, countConnections } = greeting();
        const port = await listen(0, "127.0.0.1");
        const greeted = await Promise.all(Array.from({ length: CLIENTS }, () => enter(port)));
        expect(new Set(greeted)).toEqual(new Set(["hello"]));
        await expect(countConnections()).resolves.toBe(CLIENTS);
    });

    test("share their port with no other process", async () => {
        const port = await greeting().listen(0, "127.0.0.1");
        await expect(greeting().listen(port, "127.0.0.1")).rejects.toThrow(
            `Port ${port} is in use: stop the process that listens on it, or set PORT`,
        );
    });

    test("close after the last connection, and accept none meanwhile", async () => {
        const { listen, close, countConnections } = greeting();
        const port = await listen(0, "127.0.0.1");
        await Promise.all(Array.from({ length: CLIENTS }, () => enter(port)));
        let closed = false;
        const done = close().then(() => (closed = true));
        await expect(enter(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
        expect(closed).toBe(false);
        for (const client of clients) client.destroy();
        await done;
        await expect(countConnections()).resolves.toBe(0);
    });
});
