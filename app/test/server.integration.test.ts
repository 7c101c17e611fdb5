import { once } from "node:events";
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";

import { afterEach, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { setUpEach } from "../../tests/support/setUp.ts";
import { eventually } from "./support/eventually.ts";
import { modelDirectory } from "./support/model.ts";
import { killPods, startPod, startServer, untilReady } from "./support/pod.ts";
import { freePort } from "./support/redisServer.ts";
import { stubEnvironment } from "./support/service.ts";
import { startStubUpstream } from "./support/stubUpstream.ts";

const upstream = setUpEach(startStubUpstream, (one) => one.stop());

afterEach(killPods);

interface Sent {
    readonly status: number | undefined;
    readonly connection: string | undefined;
}

function post(port: number, agent: Agent, body: string): Promise<Sent> {
    return new Promise((resolve, reject) => {
        const sending = request(
            { port, host: "127.0.0.1", agent, method: "POST", path: PATHS.embed },
            (response) => {
                response.on("error", reject);
                response.resume().on("end", () =>
                    resolve({
                        status: response.statusCode,
                        connection: response.headers.connection,
                    }),
                );
            },
        );
        sending.on("error", reject);
        sending.end(body);
    });
}

describe("SIGTERM", () => {
    test("under load fails no request, closes connections and ends with 0", async () => {
        const { port, process: server } = await startPod(stubEnvironment(upstream.url));
        const agent = new Agent({ keepAlive: true, maxSockets: 16 });
        const sent: Sent[] = [];
        let terminated = false;
        let rounds = 0;
        async function client(number: number): Promise<void> {
            // After the signal each client continues for a while, like a gateway that has not noticed.
            for (let after = 0; after < 40; after += terminated ? 1 : 0) {
                rounds += 1;
                const body = JSON.stringify({ text: `client ${number} asks ${rounds % 50}` });
                sent.push(await post(port, agent, body));
            }
        }
        const clients = Array.from({ length: 16 }, (_, number) => client(number));
        await eventually("the load runs", () => sent.length > 500);
        const exit = once(server, "exit");
        server.kill("SIGTERM");
        terminated = true;
        await Promise.all(clients);
        expect(sent.filter(({ status }) => status !== 200)).toEqual([]);
        expect(sent.at(-1)?.connection).toBe("close");
        agent.destroy();
        expect(await exit).toEqual([0, null]);
    });

    test("is visible in readiness immediately, while a slow request is still served", async () => {
        const { port, process: server } = await startPod(stubEnvironment(upstream.url));
        const hang = Promise.withResolvers<undefined>();
        const arrived = Promise.withResolvers<undefined>();
        upstream.misbehave((_, response) => {
            arrived.resolve(undefined);
            void hang.promise.then(() => {
                response.writeHead(200, { "content-type": "application/json" });
                const vector = { index: 0, embedding: [0.6, 0.8] };
                response.end(JSON.stringify({ data: [vector], usage: { prompt_tokens: 1 } }));
            });
        });
        const agent = new Agent();
        const slow = post(port, agent, JSON.stringify({ text: "slow" }));
        await arrived.promise;
        server.kill("SIGTERM");
        await eventually("readiness says no", async () => {
            const ready = await fetch(`http://127.0.0.1:${port}${PATHS.ready}`);
            return ready.status === 503;
        });
        const live = await fetch(`http://127.0.0.1:${port}${PATHS.live}`);
        expect(live.status).toBe(200);
        const exit = once(server, "exit");
        hang.resolve(undefined);
        expect((await slow).status).toBe(200);
        expect(await exit).toEqual([0, null]);
    });

    test("is bounded: a request that never ends is closed after DRAIN_TIMEOUT_SECONDS", async () => {
        const pod = await startPod({
            ...stubEnvironment(upstream.url),
            DRAIN_TIMEOUT_SECONDS: "2",
        });
        const { port, process: server } = pod;
        const arrived = Promise.withResolvers<undefined>();
        upstream.misbehave(() => arrived.resolve(undefined));
        const endless = post(port, new Agent(), JSON.stringify({ text: "endless" }));
        const cutOff = expect(endless).rejects.toThrow();
        await arrived.promise;
        server.kill("SIGTERM");
        expect(await once(server, "exit")).toEqual([0, null]);
        await cutOff;
    });
});

describe("the start", () => {
    test("on a port in use reports it and ends with 1", async () => {
        const { port } = await startPod(stubEnvironment(upstream.url));
        const second = startServer({ ...stubEnvironment(upstream.url), PORT: String(port) });
        const [output, exit] = await Promise.all([
            second.stderr ? text(second.stderr) : "",
            once(second, "exit"),
        ]);
        expect(output).toBe(
            `Error: Port ${port} is in use: stop the process that listens on it, or set PORT\n`,
        );
        expect(exit).toEqual([1, null]);
    });

    test("with an invalid environment reports all errors and ends with 1", async () => {
        const server = startServer({ PORT: "x", EMBEDDING_PROVIDER: "openai" });
        const [output, exit] = await Promise.all([
            server.stderr ? text(server.stderr) : "",
            once(server, "exit"),
        ]);
        expect(output).toMatch(/PORT is "x".*\n.*UPSTREAM_URL is not set/);
        expect(exit).toEqual([1, null]);
    });

    test("without the model's files names the file and how to get it", async () => {
        const server = startServer({ MODEL_DIR: "/nowhere", PORT: String(await freePort()) });
        const output = server.stderr ? await text(server.stderr) : "";
        expect(output).toMatch(/\/nowhere\/model\.onnx cannot be read \(ENOENT\); `make model`/);
    });

    test("with the local model disables the native runtime's telemetry", async () => {
        const port = await freePort();
        // A home that is not writable: the runtime's telemetry fails there if it is enabled.
        const server = startServer({
            MODEL_DIR: modelDirectory(),
            PORT: String(port),
            HOME: "/proc/none",
        });
        const output = Promise.all(
            [server.stdout, server.stderr].map(async (pipe) => (pipe ? await text(pipe) : "")),
        );
        await untilReady(`http://127.0.0.1:${port}`);
        server.kill("SIGINT");
        expect((await output).join()).not.toMatch(/telemetry/i);
    });
});
