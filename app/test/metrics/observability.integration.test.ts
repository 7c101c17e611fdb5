import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { eventually } from "../support/eventually.ts";
import { killPods, startPod, type Pod } from "../support/pod.ts";
import { stubEnvironment } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";
import { reply, type Turn } from "../support/stubUpstream.ts";

const redis = setUpRedis();
const upstream = setUpUpstream();

afterEach(killPods);

const KEY = "a-client-key-that-must-stay-secret";

const ask = (pod: Pod, text: string, headers: Record<string, string> = {}) =>
    fetch(pod.url + PATHS.embed, {
        method: "POST",
        headers: { authorization: `Bearer ${KEY}`, ...headers },
        body: JSON.stringify({ text }),
    });

describe("logs", () => {
    test("are one JSON object per line with request IDs, and contain no text, key or vector", async () => {
        const pod = await startPod({
            ...stubEnvironment(upstream.url, redis.url),
            LOG_LEVEL: "debug",
            UPSTREAM_API_KEY: "an-upstream-key-that-must-stay-secret",
        });
        let output = "";
        pod.process.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
        pod.process.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
        const text = "a confidential wish for a penthouse";
        await ask(pod, text, { "x-request-id": "traced-by-me" });
        await ask(pod, text);
        const quoting: Turn = (_, response) => reply(response, 500, { error: { message: text } });
        upstream.misbehave(quoting, quoting, quoting, quoting);
        const failed = await ask(pod, `${text} that fails`);
        expect(failed.status).toBe(503);
        redis.command("config", "set", "maxmemory", "1");
        await ask(pod, `${text} unwritten`);
        redis.command("config", "set", "maxmemory", "0");
        await eventually("the failure is logged", () => output.includes('"status":503'));
        await pod.end();

        const lines = output
            .trim()
            .split("\n")
            .filter((line) => line.startsWith("{"));
        const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(entries).toContainEqual(
            expect.objectContaining({ requestId: "traced-by-me", status: 200, result: "miss" }),
        );
        expect(entries).toContainEqual(
            expect.objectContaining({ level: "warn", status: 503, msg: "Request failed" }),
        );
        expect(entries.every(({ time }) => !Number.isNaN(Date.parse(String(time))))).toBe(true);
        for (const secret of ["confidential", "penthouse", KEY, "must-stay-secret"]) {
            expect(output).not.toContain(secret);
        }
    });
});

interface Exported {
    readonly name: string;
    readonly traceId: string;
    readonly spanId: string;
    readonly parentId: string;
}

describe("traces", () => {
    let collector: Server;
    let url: string;
    let exported: Exported[] = [];
    let bytes = Buffer.alloc(0);

    beforeAll(async () => {
        collector = createServer((request, response) => {
            void buffer(request).then((body) => {
                bytes = Buffer.concat([bytes, body]);
                exported.push(...spansOf(body));
                response.end();
            });
        });
        await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
        url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    });

    afterEach(() => {
        exported = [];
    });

    afterAll(() => {
        collector.close();
    });

    test("follow a request from its client through the tiers to the upstream", async () => {
        const pod = await startPod({
            ...stubEnvironment(upstream.url, redis.url),
            OTEL_EXPORTER_OTLP_ENDPOINT: url,
        });
        const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
        const parent = "00f067aa0ba902b7";
        const text = "a text that no span may hold";
        await ask(pod, text, { traceparent: `00-${traceId}-${parent}-01` });
        await pod.end();

        const spans = exported.filter((span) => span.traceId === traceId);
        const named = (name: string) => spans.find((span) => span.name === name);
        const root = named("POST /embed");
        expect(root?.parentId).toBe(parent);
        expect(named("redis read")?.parentId).toBe(root?.spanId);
        expect(named("embed")?.parentId).toBe(root?.spanId);
        expect(named("upstream attempt")?.parentId).toBe(named("embed")?.spanId);
        const sent = upstream.headers.at(-1)?.traceparent;
        expect(sent).toBe(`00-${traceId}-${named("upstream attempt")?.spanId}-01`);
        expect(bytes.includes("no span may hold")).toBe(false);
        expect(bytes.includes(KEY)).toBe(false);
    });

    test("are not started for a client that decided against them, nor without a collector", async () => {
        const pod = await startPod({
            ...stubEnvironment(upstream.url),
            OTEL_EXPORTER_OTLP_ENDPOINT: url,
        });
        await ask(pod, "unsampled", {
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        });
        await pod.end();
        expect(exported).toEqual([]);
    });

    test("an unavailable collector affects neither requests nor a clean end", async () => {
        const pod = await startPod({
            ...stubEnvironment(upstream.url),
            OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
        });
        expect((await ask(pod, "answered all the same")).status).toBe(200);
        await pod.end();
        expect(pod.process.exitCode).toBe(0);
    });
});

/**
 * Spans of an ExportTraceServiceRequest: resource_spans (1) → scope_spans (2) → spans (2), of which
 * trace_id is 1, span_id 2, parent_span_id 4 and name 5 (opentelemetry-proto, trace.proto).
 */
function spansOf(message: Buffer): Exported[] {
    return fields(message, 1)
        .flatMap((resource) => fields(resource, 2))
        .flatMap((scope) => fields(scope, 2))
        .map((span) => ({
            name: fields(span, 5)[0]?.toString() ?? "",
            traceId: fields(span, 1)[0]?.toString("hex") ?? "",
            spanId: fields(span, 2)[0]?.toString("hex") ?? "",
            parentId: fields(span, 4)[0]?.toString("hex") ?? "",
        }));
}

/** Length-delimited fields with this number, by protobuf's wire format. */
function fields(message: Buffer, wanted: number): Buffer[] {
    const found: Buffer[] = [];
    let at = 0;
    const varint = (): number => {
        let value = 0;
        for (let shift = 1; ; shift *= 128) {
            const byte = message[at] ?? 0;
            at += 1;
            value += (byte & 127) * shift;
            if (byte < 128) return value;
        }
    };
    while (at < message.length) {
        const tag = varint();
        const [number, type] = [Math.floor(tag / 8), tag % 8];
        if (type === 0) varint();
        else if (type === 1) at += 8;
        else if (type === 5) at += 4;
        else {
            const length = varint();
            if (number === wanted) found.push(message.subarray(at, at + length));
            at += length;
        }
    }
    return found;
}
