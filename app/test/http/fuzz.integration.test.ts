import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";
import fc from "fast-check";
import { Pool } from "undici";

import { setUp } from "../../../tests/support/setUp.ts";
import { killPods, startPod } from "../support/pod.ts";
import { MODEL, stubEnvironment } from "../support/service.ts";
import { propertyRuns } from "../../../tests/support/property.ts";
import { setUpUpstream } from "../support/setUp.ts";

const { numRuns: REQUESTS, seed } = propertyRuns(49_000);
const SOCKETS = Math.ceil(REQUESTS / 49);
const CONNECTIONS = 32;
/** After the first third, memory is saturated. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024;

const upstream = setUpUpstream();

const pod = setUp(
    () =>
        startPod({
            ...stubEnvironment(upstream.url),
            MAX_LOCAL_CACHE_SIZE: "500",
            // A heap that is collected before it is full, so that growth is real.
            NODE_OPTIONS: "--max-old-space-size=96",
        }),
    killPods,
);

const word = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), fc.constant(""));
const scalar = fc.oneof(
    word,
    fc.double(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constantFrom(null, MODEL, "float", "base64", -1, 1e308, "\u0000", "\ud800", 2 ** 53),
);
const anything = fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 6 }),
    fc.array(fc.array(scalar, { maxLength: 4 }), { maxLength: 4 }),
    fc.dictionary(word, scalar, { maxKeys: 3 }),
);
const FIELDS = ["text", "texts", "input", "model", "encoding_format", "dimensions", "user"];
/** Nearly valid: known fields with values of any kind. */
const nearly = fc
    .dictionary(fc.oneof(fc.constantFrom(...FIELDS), word), anything, { maxKeys: 5 })
    .map((fields) => JSON.stringify(fields));
/** Truncated JSON, and valid requests with one changed byte. */
const broken = fc
    .tuple(nearly, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 }))
    .map(([body, where, byte]) => {
        const bytes = Buffer.from(body);
        const at = Math.floor(where * bytes.length);
        if (byte < 64) return bytes.subarray(0, at);
        if (bytes.length > 0) bytes[Math.min(at, bytes.length - 1)] = byte;
        return bytes;
    });
const raw = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const deep = fc
    .tuple(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom("[", '{"input":'))
    .map(([depth, open]) => open.repeat(depth));
const body = fc.oneof(
    { weight: 5, arbitrary: nearly },
    { weight: 3, arbitrary: broken },
    { weight: 1, arbitrary: raw },
    { weight: 1, arbitrary: deep },
);
const request = fc.record({
    method: fc.constantFrom("POST", "POST", "POST", "POST", "GET", "PUT", "DELETE", "OPTIONS"),
    path: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(PATHS.embed, PATHS.embeddings) },
        { weight: 1, arbitrary: fc.webPath().map((path) => `/${path.replace(/^\/+/, "")}`) },
    ),
    headers: fc.dictionary(
        fc.constantFrom("content-type", "accept", "authorization", "api-key", "x-request-id"),
        fc.string({ maxLength: 60 }).filter((value) => !/[^\x20-\x7e]/.test(value)),
    ),
    body,
});

function residentBytes(): number {
    const kibibytes = execFileSync("ps", ["-o", "rss=", "-p", `${pod.process.pid}`]);
    return Number(kibibytes) * 1024;
}

/** What is wrong with a response, or undefined. */
function faultOf(status: number, answer: string): string | undefined {
    if (status >= 200 && status < 300) return undefined;
    if (status < 400 || status >= 500) return `status ${status}`;
    try {
        const { error } = JSON.parse(answer) as { error: Record<string, unknown> };
        const shape = Object.keys(error).join();
        return shape === "message,type,param,code" && typeof error.message === "string"
            ? undefined
            : `the shape ${shape}`;
    } catch {
        return `no JSON: ${answer.slice(0, 100)}`;
    }
}

test("invalid requests get a 4xx in OpenAI's shape, and neither crash nor grow the service", async () => {
    const pool = new Pool(pod.url, { connections: CONNECTIONS, pipelining: 1 });
    const faults: string[] = [];
    const statuses = new Map<number, number>();
    const requests = fc.sample(request, { numRuns: REQUESTS, seed });
    let next = 0;
    let settled = 0;

    async function client(): Promise<void> {
        for (let at = next++; at < requests.length; at = next++) {
            const one = requests[at];
            if (!one) continue;
            const bodiless = one.method === "GET";
            const answer = await pool.request({ ...one, body: bodiless ? null : one.body });
            const said = await answer.body.text();
            const fault = faultOf(answer.statusCode, said);
            statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
            if (fault !== undefined) faults.push(`${fault} for ${JSON.stringify(one)}`);
            if (at === Math.floor(REQUESTS / 3)) settled = residentBytes();
        }
    }

    await Promise.all(Array.from({ length: CONNECTIONS }, client));
    await pool.close();
    await Promise.all(Array.from({ length: 20 }, (_, worker) => sockets(worker)));

    async function sockets(worker: number): Promise<void> {
        for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 300 }), {
            numRuns: Math.ceil(SOCKETS / 20),
            seed: seed + worker,
        })) {
            const socket = connect(pod.port, "127.0.0.1");
            await once(socket, "connect");
            const said = text(socket);
            // A method and a path for half of them, so that they pass the first line.
            const start = (bytes[0] ?? 0) % 2 === 0 ? `POST ${PATHS.embed} HTTP/1.1\r\n` : "";
            socket.write(start);
            socket.end(Buffer.concat([Buffer.from(bytes), Buffer.from("\r\n\r\n")]));
            const answer = await said.catch(() => "");
            const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 400);
            if (status >= 500)
                faults.push(`status ${status} for ${Buffer.from(bytes).toString("hex")}`);
        }
    }

    expect({ seed, faults: faults.slice(0, 5) }).toEqual({ seed, faults: [] });
    // The generator works: nearly everything is rejected, for several reasons.
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([400, 404, 405]));
    expect(statuses.get(400)).toBeGreaterThan(REQUESTS / 3);
    expect(pod.process.exitCode).toBeNull();
    expect((await pod.ask("a right one")).status).toBe(200);
    expect(residentBytes() - settled).toBeLessThan(MAX_GROWTH_BYTES);
}, 180_000);
