import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { makeCertificates, type Certificates } from "../../app/test/support/certificates.ts";

const FIND_ZONES = path.join(import.meta.dirname, "../../components/redis/findZones.mjs");
const TOKEN = "of-the-account";
/** Of the API server's answers: pods on machines, two of which have zones. */
const ANSWERS: Readonly<Record<string, object>> = {
    "/api/v1/namespaces/data/pods/redis-0": { spec: { nodeName: "m0" } },
    "/api/v1/namespaces/data/pods/redis-1": { spec: { nodeName: "m1" } },
    "/api/v1/namespaces/data/pods/redis-2": { spec: { nodeName: "m2" } },
    "/api/v1/nodes/m0": { metadata: { labels: { "topology.kubernetes.io/zone": "eu-1a" } } },
    "/api/v1/nodes/m1": { metadata: { labels: { "topology.kubernetes.io/zone": "eu-1b" } } },
    "/api/v1/nodes/m2": { metadata: { labels: {} } },
};

let certificates: Certificates;
let server: Server;
beforeAll(async () => {
    certificates = await makeCertificates();
    const { folder, server: own } = certificates;
    writeFileSync(path.join(folder, "token"), TOKEN);
    const tls = { cert: readFileSync(own.cert), key: readFileSync(own.key) };
    server = createServer(tls, (request, response) => {
        const known = request.headers.authorization === `Bearer ${TOKEN}`;
        const answer = known ? ANSWERS[request.url ?? ""] : undefined;
        response.writeHead(answer ? 200 : 403).end(JSON.stringify(answer ?? {}));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
});
afterAll(async () => {
    server.close();
    await certificates.remove();
});

test("writes each node's zone, or a dash if it is missing or unavailable", async () => {
    const { folder } = certificates;
    const out = path.join(folder, "zones");
    const names = ["redis-0", "redis-1", "redis-2", "redis-3"];
    const env = {
        NODES: names.map((name) => `${name}.redis.data.svc:6379`).join(" "),
        NAMESPACE: "data",
        OUT: out,
        ACCOUNT: folder,
        KUBERNETES_SERVICE_HOST: "127.0.0.1",
        KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port),
    };
    const script = spawn(process.execPath, [FIND_ZONES], {
        env,
        stdio: ["ignore", "ignore", "pipe"],
    });
    let output = "";
    script.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    expect(await once(script, "exit")).toEqual([0, null]);
    expect(readFileSync(out, "utf8")).toBe(
        "redis-0.redis.data.svc eu-1a\nredis-1.redis.data.svc eu-1b\n" +
            "redis-2.redis.data.svc -\nredis-3.redis.data.svc -\n",
    );
    expect(output).toContain(
        "the zone of redis-3 is unknown: /api/v1/namespaces/data/pods/redis-3 responded with 403",
    );
});
