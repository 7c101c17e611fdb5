import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { setTimeout as delay } from "node:timers/promises";
import { createForwardedGet } from "../../cluster/forwardedService.ts";
import { startForwarding, type Forwarding } from "../support/forwarding.ts";

/** Timeouts of answered queries and of unanswered ones. */
const DEADLINE_MILLISECONDS = 10_000;
const SHORT_MILLISECONDS = 300;
const ADDRESS = { namespace: "monitoring", name: "prometheus", port: 80 };

let forwarding: Forwarding;

beforeEach(async () => {
    forwarding = await startForwarding();
    forwarding.service = serviceWith("web");
    forwarding.pods = [podNamed("prometheus-0")];
    forwarding.answer = answerOf(200, '{"status":"success"}');
});

afterEach(() => {
    forwarding.close();
});

const get = (milliseconds = DEADLINE_MILLISECONDS) =>
    createForwardedGet(forwarding.cluster, ADDRESS, { timeoutMilliseconds: milliseconds })(
        "/api/v1/query?query=up",
    );

function serviceWith(targetPort: string | number): object {
    const ports = [{ port: 80, targetPort }];
    return { spec: { selector: { app: "prometheus" }, ports } };
}

function podNamed(name: string, ready = "True", metadata = {}): object {
    const containers = [{ ports: [{ name: "web", containerPort: 9090 }] }];
    const status = { conditions: [{ type: "Ready", status: ready }] };
    return { metadata: { name, ...metadata }, spec: { containers }, status };
}

function answerOf(status: number, body: string): string {
    return `HTTP/1.1 ${status} \r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function nothingOpen(): Promise<void> {
    for (let wait = 0; forwarding.open.size > 0 && wait < 3_000; wait += 1) await delay(10);
    expect(forwarding.open.size).toBe(0);
}

test("A query uses the container port of a ready pod, and leaves no connection", async () => {
    forwarding.pods = [
        podNamed("prometheus-0", "False"),
        podNamed("prometheus-1", "True", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
        podNamed("prometheus-2"),
    ];
    await expect(get()).resolves.toEqual({ status: "success" });
    expect(forwarding.requests).toEqual(["prometheus-2:9090 GET /api/v1/query?query=up HTTP/1.1"]);
    await nothingOpen();
});

test("A pod that was replaced between two queries fails neither", async () => {
    forwarding.service = serviceWith(9091);
    await get();
    forwarding.pods = [podNamed("prometheus-1")];
    await get();
    expect(forwarding.requests.map((one) => one.split(" ")[0])).toEqual([
        "prometheus-0:9091",
        "prometheus-1:9091",
    ]);
});

test.each([400, 422])("A response with %i is returned", async (status) => {
    forwarding.answer = answerOf(status, '{"status":"error"}');
    await expect(get()).resolves.toEqual({ status: "error" });
});

test.each<[string, Partial<Forwarding>, RegExp]>([
    ["no ready pod", { pods: [] }, /^monitoring\/prometheus has no ready pod$/],
    [
        "a port that the pod lacks",
        { service: serviceWith("http") },
        /prometheus-0 has no port http/,
    ],
    [
        "another status",
        { answer: answerOf(503, "{}") },
        /^monitoring\/prometheus responded with 503$/,
    ],
    ["no JSON", { answer: answerOf(200, "<html>") }, /JSON/],
    ["a refused connection", { meets: "forbidden" }, /prometheus-0 cannot be reached: .*403/],
    ["a port where nobody listens", { refusal: "connection refused" }, /connection refused/],
])("A query fails at once with %s, and leaves no connection", async (_, state, words) => {
    Object.assign(forwarding, state);
    await expect(get()).rejects.toThrow(words);
    await nothingOpen();
});

test.each<[string, Partial<Forwarding>]>([
    ["half an answer", { answer: "HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\n{" }],
    ["a pod that says nothing", { answer: "" }],
    ["an API server that says nothing", { meets: "silent" }],
])("A query times out with %s", async (_, state) => {
    Object.assign(forwarding, state);
    await expect(get(SHORT_MILLISECONDS)).rejects.toThrow(
        "monitoring/prometheus did not answer within 0.3 s",
    );
    if (forwarding.meets !== "silent") await nothingOpen();
});

test("A connection that ends early is reported, and the next query succeeds", async () => {
    forwarding.answer = "";
    const requests = get();
    const cut = async () => {
        for (let wait = 0; forwarding.requests.length === 0 && wait < 3_000; wait += 1)
            await delay(10);
        for (const socket of forwarding.open) socket.destroy();
    };
    await Promise.all([expect(requests).rejects.toThrow(/socket hang up|aborted/), cut()]);
    forwarding.answer = answerOf(200, "{}");
    await expect(get()).resolves.toEqual({});
});
