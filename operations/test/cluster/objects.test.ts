import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createServer, type Server } from "node:http";
import { readIfExists, statusOf, type Cluster } from "../../cluster/connect.ts";
import type { ObjectApi } from "../../cluster/objects.ts";
import { listen } from "../support/listen.ts";

interface Received {
    readonly method: string;
    readonly url: string;
    readonly type: string | undefined;
    readonly body: unknown;
}

const RESOURCES: Readonly<Record<string, readonly object[]>> = {
    "/api/v1": [
        { name: "namespaces", kind: "Namespace", namespaced: false },
        { name: "pods", kind: "Pod", namespaced: true },
        { name: "pods/exec", kind: "PodExecOptions", namespaced: true },
        { name: "limitranges", kind: "LimitRange", namespaced: true },
    ],
    "/apis/networking.k8s.io/v1": [
        { name: "networkpolicies", kind: "NetworkPolicy", namespaced: true },
    ],
    "/apis/rbac.authorization.k8s.io/v1": [
        { name: "clusterroles", kind: "ClusterRole", namespaced: false },
    ],
};

let server: Server;
let objects: ObjectApi;
let received: Received[];
/** Response of the next reads. */
let stored: unknown;

beforeEach(async () => {
    received = [];
    server = createServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
            const { method = "", url = "", headers } = request;
            const resources = RESOURCES[url];
            response.setHeader("Content-Type", "application/json");
            if (resources) response.end(JSON.stringify({ resources }));
            else if (url.startsWith("/apis/nowhere")) {
                response.writeHead(404);
                response.end("404 page not found");
            } else {
                const parsed: unknown = body === "" ? undefined : JSON.parse(body);
                received.push({ method, url, type: headers["content-type"], body: parsed });
                response.end(JSON.stringify(method === "GET" ? stored : parsed));
            }
        });
    });
    ({ objects } = (await listen(server)).cluster);
});

afterEach(() => {
    server.close();
    server.closeAllConnections();
});

const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "n" },
    spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 1 }] }] },
};
const range = {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "r", namespace: "n", creationTimestamp: "2026-11-29T01:02:03Z" },
    spec: { limits: [{ type: "Container", default: { cpu: "1" }, later: { of: "a newer API" } }] },
    // The client's types have a Date for a text in JSON.
} as unknown as typeof policy;

describe("an object is sent and received unchanged", () => {
    test.each([policy, range])("$kind, by every kind of write", async (object) => {
        for (const write of [
            () => objects.create(object),
            () => objects.replace(object),
            () => objects.apply(object, { fieldManager: "m" }),
            () => objects.merge(object),
        ]) {
            expect(await write()).toEqual(object);
        }
        expect(received.map(({ body }) => body)).toEqual([object, object, object, object]);
        expect(received.map(({ method, type }) => `${method} ${type ?? ""}`)).toEqual([
            "POST application/json",
            "PUT application/json",
            "PATCH application/apply-patch+yaml",
            "PATCH application/merge-patch+json",
        ]);
    });

    test.each([policy, range])("$kind, when it is read", async (object) => {
        stored = object;
        const { apiVersion, kind, metadata } = object;
        expect(await objects.read({ apiVersion, kind, ...metadata })).toEqual(object);
    });
});

test("an apply lets the server reject unknown fields, and has a field manager", async () => {
    await objects.apply(policy, { fieldManager: "m" });
    const { pathname, searchParams } = new URL(received[0]?.url ?? "", "http://server");
    expect(pathname).toBe("/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/p");
    expect(Object.fromEntries(searchParams)).toEqual({
        fieldManager: "m",
        force: "false",
        fieldValidation: "Strict",
    });
});

test("a name keeps its capitals and its colons", async () => {
    stored = {};
    const reference = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" };
    await objects.read({ ...reference, name: "system:Node" });
    expect(received[0]?.url).toBe("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3ANode");
});

test("an object of a namespaced kind without a namespace is rejected", async () => {
    const pod = { apiVersion: "v1", kind: "Pod", name: "x" };
    await expect(objects.read(pod)).rejects.toThrow("Pod x has no namespace");
    expect(received).toEqual([]);
});

test("a deletion by uid keeps a later object of the same name", async () => {
    await objects.delete(
        { apiVersion: "v1", kind: "Pod", namespace: "n", name: "x" },
        { uid: "u" },
    );
    expect(received[0]?.body).toMatchObject({
        preconditions: { uid: "u" },
        propagationPolicy: "Background",
    });
});

describe("missing objects and kinds", () => {
    test.each([
        ["a group", "nowhere.example/v1"],
        ["a kind of a group", "networking.k8s.io/v1"],
    ])("%s has status 404 and is read as undefined", async (_, apiVersion) => {
        const reference = { apiVersion, kind: "Unheard", namespace: "n", name: "x" };
        const error: unknown = await objects.read(reference).catch((reason: unknown) => reason);
        expect(statusOf(error)).toBe(404);
        expect(await objects.isServed(apiVersion, "Unheard")).toBe(false);
        expect(await readIfExists({ objects } as unknown as Cluster, reference)).toBeUndefined();
    });

    test("a kind that is defined later is found", async () => {
        expect(await objects.isServed("v1", "Pod")).toBe(true);
        expect(await objects.isServed("v1", "PodExecOptions")).toBe(false);
    });
});
