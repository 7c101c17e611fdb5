import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createReceiver } from "../../src/receiver/receiver.ts";

let server: Server;
let url: string;
let lines: string[];

beforeEach(async () => {
    lines = [];
    server = createReceiver((line) => lines.push(line), 3);
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
});

const alert = (name: string, status = "firing") => ({
    status,
    labels: { alertname: name, severity: "critical" },
    annotations: { summary: "not kept" },
    startsAt: "2026-01-01T00:00:00Z",
    endsAt: status === "firing" ? "0001-01-01T00:00:00Z" : "2026-01-01T00:05:00Z",
    fingerprint: "0123456789abcdef",
});

async function post(body: string): Promise<number> {
    return (await fetch(`${url}/alerts`, { method: "POST", body })).status;
}

const send = (...alerts: object[]) =>
    post(JSON.stringify({ version: "4", receiver: "webhook", status: "firing", alerts }));

async function received(): Promise<unknown> {
    return (await fetch(`${url}/received`)).json();
}

describe("the alert receiver", () => {
    test("is empty before anything came", async () => {
        expect(await received()).toEqual([]);
    });

    test("shows each alert of a notification with its time, state and labels, and logs a line", async () => {
        expect(await send(alert("Down"), alert("Slow", "resolved"))).toBe(204);
        const common = { receiver: "webhook", startsAt: "2026-01-01T00:00:00Z" };
        const expected = [
            {
                ...common,
                received: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
                status: "firing",
                labels: { alertname: "Down", severity: "critical" },
                endsAt: "0001-01-01T00:00:00Z",
            },
            {
                ...common,
                received: expect.any(String),
                status: "resolved",
                labels: { alertname: "Slow", severity: "critical" },
                endsAt: "2026-01-01T00:05:00Z",
            },
        ];
        expect(await received()).toEqual(expected);
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(expected);
    });

    test("keeps the newest of more than it has room for", async () => {
        for (const name of ["A", "B", "C", "D"]) await send(alert(name));
        const names = ["B", "C", "D"].map((alertname) => ({
            labels: { alertname, severity: "critical" },
        }));
        expect(await received()).toMatchObject(names);
    });

    test.each([
        ["no JSON", "alerts", 400],
        ["no notification", "[]", 422],
        ["null", "null", 422],
        ["an alert without labels", JSON.stringify({ receiver: "x", alerts: [{}] }), 422],
        ["more than it reads", " ".repeat(1024 * 1024 + 1), 400],
    ])("rejects %s, stores nothing and keeps running", async (_, body, status) => {
        expect(await post(body)).toBe(status);
        expect(await received()).toEqual([]);
        expect(await send(alert("Down"))).toBe(204);
    });

    test.each([
        ["GET", "/health", 200],
        ["GET", "/alerts", 404],
        ["POST", "/received", 404],
        ["GET", "/", 404],
    ])("answers %s %s with %i", async (method, path, status) => {
        expect((await fetch(`${url}${path}`, { method })).status).toBe(status);
    });
});
