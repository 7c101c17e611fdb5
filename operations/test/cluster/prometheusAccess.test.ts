import { afterEach, expect, test } from "@jest/globals";
import type { Cluster } from "../../cluster/connect.ts";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { forwardPrometheus, prometheusAccess, serviceOf } from "../../cluster/prometheusAccess.ts";
import { startForwarding } from "../support/forwarding.ts";

let server: Server | undefined;

afterEach(() => {
    server?.close();
});

/** A cluster with only these objects, by kind. */
function clusterWith(objects: Readonly<Record<string, object>>): Cluster {
    const read = ({ kind = "" }: { kind?: string }) =>
        objects[kind]
            ? Promise.resolve(objects[kind])
            : Promise.reject(Object.assign(new Error("none"), { code: 404 }));
    return {
        context: "c",
        server: "",
        objects: { read },
        exportKubeconfig: () => "",
    } as unknown as Cluster;
}

test.each([
    [
        "http://prometheus-operated.monitoring.svc:9090",
        { namespace: "monitoring", name: "prometheus-operated", port: 9090 },
    ],
    [
        "http://frontend.gmp-public.svc.cluster.local",
        { namespace: "gmp-public", name: "frontend", port: 80 },
    ],
    ["https://prometheus.example/api/prom", undefined],
    ["https://svc.example", undefined],
])("%s: inside the cluster %j", (url, service) => {
    expect(serviceOf(url)).toEqual(service);
});

test("a Prometheus outside the cluster is read by its URL, with its path and the stack's token", async () => {
    const received: unknown[] = [];
    server = createServer(({ url, headers }, response) => {
        received.push([url, headers.authorization]);
        response.end('{"status":"success"}');
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/prom/`;
    const token = Buffer.from("token of the stack").toString("base64");
    const cluster = clusterWith({ ConfigMap: { data: { url } }, Secret: { data: { token } } });
    const get = await prometheusAccess(cluster);
    expect(await get("/api/v1/query?query=up")).toEqual({ status: "success" });
    expect(received).toEqual([["/api/prom/api/v1/query?query=up", "Bearer token of the stack"]]);
});

test("an invalid response is an error with its status", async () => {
    server = createServer((_, response) => response.writeHead(403).end("no")).listen(
        0,
        "127.0.0.1",
    );
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const get = await prometheusAccess(clusterWith({ ConfigMap: { data: { url } } }));
    await expect(get("/api/v1/query?query=up")).rejects.toThrow(`${url} responded with 403`);
});

test("another program gets the URL and the token of a Prometheus outside the cluster", async () => {
    const token = Buffer.from("token of the stack").toString("base64");
    const url = "https://prometheus.example/api/prom/";
    const cluster = clusterWith({ ConfigMap: { data: { url } }, Secret: { data: { token } } });
    expect(await forwardPrometheus(cluster)).toMatchObject({ url, token: "token of the stack" });
});

test("another program gets a port of this machine for a Prometheus inside the cluster", async () => {
    const forwarding = await startForwarding();
    const ports = [{ port: 9090, targetPort: 9090 }];
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    forwarding.service = { spec: { selector: { app: "prometheus" }, ports } };
    forwarding.pods = [{ metadata: { name: "prometheus-0" }, spec: { containers: [] }, status }];
    const body = '{"status":"success"}';
    forwarding.answer = `HTTP/1.1 200 \r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const { url, close } = await forwardPrometheus(forwarding.cluster);
    const response = await fetch(`${url}/api/v1/query?query=up`);
    expect(await response.json()).toEqual({ status: "success" });
    expect(forwarding.requests).toEqual(["prometheus-0:9090 GET /api/v1/query?query=up HTTP/1.1"]);
    await close();
    forwarding.close();
});
