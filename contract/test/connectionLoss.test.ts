import { expect, test } from "@jest/globals";
import { once } from "node:events";
import { request } from "node:https";
import { createServer } from "node:net";
import { describeConnectionLoss } from "../src/connectionLoss.ts";

/** Error of a request to a port at which nobody speaks TLS. */
async function errorOf(port: number): Promise<unknown> {
    const asking = request({ host: "127.0.0.1", port }).end();
    const [error] = (await once(asking, "error").catch((caught: unknown) => [caught])) as unknown[];
    return error;
}

test("a connection that ends while TLS is set up is a lost link", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const error = await errorOf(port);
    expect(String(error)).toMatch(/TLS|ECONNRESET/);
    expect(describeConnectionLoss(error)).toBe(
        `no connection to 127.0.0.1:${port} (ECONNRESET): the network is down, or no process listens at this address`,
    );
    server.close();
    await once(server, "close");
    expect(describeConnectionLoss(await errorOf(port))).toContain(
        `127.0.0.1:${port} (ECONNREFUSED)`,
    );
    const fetched = await fetch(`https://127.0.0.1:${port}/`).catch((error: unknown) => error);
    expect(describeConnectionLoss(fetched)).toContain(`127.0.0.1:${port} (ECONNREFUSED)`);
});

test("it is found below what wraps it", () => {
    const reset = Object.assign(
        new Error(
            "request to https://10.89.0.2:6443/api failed, reason: Client network socket disconnected before secure TLS connection was established",
        ),
        { code: "ECONNRESET" },
    );
    expect(describeConnectionLoss(new Error("apply failed", { cause: reset }))).toContain(
        "https://10.89.0.2:6443 (ECONNRESET)",
    );
    const several = new AggregateError([
        Object.assign(new Error("x"), { code: "EHOSTUNREACH", address: "10.89.0.2", port: 6443 }),
    ]);
    expect(describeConnectionLoss(new TypeError("fetch failed", { cause: several }))).toContain(
        "10.89.0.2:6443 (EHOSTUNREACH)",
    );
});

test.each([
    new Error("certificate has expired"),
    Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
    Object.assign(new Error("not found"), { code: 404 }),
    "a text",
    undefined,
])("no other error is one: %s", (error) => {
    expect(describeConnectionLoss(error)).toBeUndefined();
});

test("an error that is its own cause ends", () => {
    const error = new Error("round");
    error.cause = error;
    expect(describeConnectionLoss(error)).toBeUndefined();
});
