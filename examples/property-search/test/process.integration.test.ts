import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { eventually } from "../../../app/test/support/eventually.ts";
import { freePort } from "../../../app/test/support/redisServer.ts";
import type { Service } from "../../../app/test/support/service.ts";
import { startEmbeddingService } from "./support/example.ts";

const MAIN = path.resolve(import.meta.dirname, "../src/main.ts");

let service: Service;
beforeAll(async () => {
    service = await startEmbeddingService();
});
afterAll(() => service.stop());

function start(environment: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [MAIN], {
        env: { PATH: process.env.PATH, ...environment },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    return { child, output: () => output };
}

test("wrong variables end the process with their names", async () => {
    const { child, output } = start({ PORT: "many" });
    expect((await once(child, "close"))[0]).toBe(1);
    expect(output()).toMatch(/^The environment is invalid:\n {2}PORT is "many"; allowed: /);
});

test("a port that is in use ends the process with the remedy", async () => {
    const port = new URL(service.url).port;
    const { child, output } = start({ PORT: port, EMBEDDING_URL: `${service.url}/v1` });
    expect((await once(child, "close"))[0]).toBe(1);
    expect(output()).toMatch(new RegExp(`^Port ${port} is in use: .*PORT\\n$`));
});

test("SIGTERM loses no answer: requests go on while the gateway still sends them", async () => {
    const port = await freePort();
    const { child, output } = start({
        PORT: `${port}`,
        EMBEDDING_URL: `${service.url}/v1`,
        DRAIN_TIMEOUT_SECONDS: "60",
    });
    const url = `http://127.0.0.1:${port}`;
    let sends = true;
    try {
        await eventually("it listens", () => output().includes("Property search on"));
        const statuses: number[] = [];
        const failures: unknown[] = [];
        const clients = Array.from({ length: 4 }, async () => {
            while (sends) {
                try {
                    const response = await fetch(`${url}/api/properties?limit=100`);
                    await response.arrayBuffer();
                    statuses.push(response.status);
                } catch (error) {
                    failures.push(error);
                }
            }
        });
        await eventually("requests are answered", () => statuses.length >= 20);
        const closed = once(child, "close");
        child.kill("SIGTERM");
        await eventually("it drains", () => output().includes("draining"));
        expect((await fetch(`${url}/readyz`)).status).toBe(503);
        const before = statuses.length;
        const areMore = () => statuses.length >= before + 20 || failures.length > 0;
        await eventually("more are answered", areMore);
        sends = false;
        await Promise.all(clients);
        expect((await closed)[0]).toBe(0);
        expect(failures).toEqual([]);
        expect(new Set(statuses)).toEqual(new Set([200]));
    } finally {
        sends = false;
        child.kill("SIGKILL");
    }
});
