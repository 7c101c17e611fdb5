import { afterEach, describe, expect, test } from "@jest/globals";
import { createServer, type Server } from "node:http";
import { statusOf } from "../../cluster/connect.ts";
import { listen } from "../support/listen.ts";

interface Refusal {
    readonly status: number;
    readonly retryAfter?: string;
}

let server: Server | undefined;

afterEach(() => {
    server?.close();
    server?.closeAllConnections();
});

/** An API server that rejects the first writes and accepts the next, with the received bodies. */
async function apiServer(refusals: Refusal[]) {
    const bodies: string[] = [];
    server = createServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
            response.setHeader("Content-Type", "application/json");
            if (request.method === "GET") {
                const resources = [{ name: "widgets", kind: "Widget", namespaced: true }];
                response.end(JSON.stringify({ groupVersion: "g/v1", resources }));
                return;
            }
            bodies.push(body);
            const refusal = refusals.shift();
            if (refusal === undefined) {
                response.end(body);
                return;
            }
            const { status, retryAfter } = refusal;
            response.writeHead(status, retryAfter ? { "Retry-After": retryAfter } : {});
            response.end(JSON.stringify({ message: "storage is (re)initializing" }));
        });
    });
    return { client: (await listen(server)).cluster.objects, bodies };
}

const widget = { apiVersion: "g/v1", kind: "Widget", metadata: { name: "w", namespace: "n" } };

describe("a request that the API server rejects with Retry-After", () => {
    test("is repeated completely until the server accepts it", async () => {
        const { client, bodies } = await apiServer([
            { status: 429, retryAfter: "0" },
            { status: 503, retryAfter: "0" },
        ]);
        await expect(client.create(widget)).resolves.toMatchObject(widget);
        expect(bodies.map((body): unknown => JSON.parse(body))).toEqual([widget, widget, widget]);
    });

    test("fails with the server's response after ten retries", async () => {
        const { client, bodies } = await apiServer(
            Array.from({ length: 20 }, () => ({ status: 429, retryAfter: "0" })),
        );
        const refused = await client.create(widget).catch((error: unknown) => error);
        expect(statusOf(refused)).toBe(429);
        expect(bodies).toHaveLength(11);
    });
});

test.each([
    ["without Retry-After", { status: 503 }],
    ["by a date, which the API server never sends", { status: 429, retryAfter: "tomorrow" }],
    ["for good", { status: 404, retryAfter: "0" }],
])("a request rejected %s is not repeated", async (_, refusal) => {
    const { client, bodies } = await apiServer([refusal]);
    const refused = await client.create(widget).catch((error: unknown) => error);
    expect(statusOf(refused)).toBe(refusal.status);
    expect(bodies).toHaveLength(1);
});
