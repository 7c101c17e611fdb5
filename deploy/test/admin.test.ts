import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { callAdmin, listCommands } from "../src/admin/call.ts";
import { adminOfCluster, adminOfProcess, type AdminTarget } from "../src/admin/target.ts";
import type { Cluster } from "../src/apply/cluster.ts";

const TOKEN = "a-token-of-more-than-32-characters-for-tests";

let folder: string;
let server: Server;
let target: AdminTarget;
let seen: (Pick<IncomingMessage, "method" | "url"> & {
    token: string | undefined;
    type: string | undefined;
    body: string;
})[];
let answer: (response: ServerResponse) => void;
const printed: string[] = [];
const PATH = process.env.PATH;

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "make-admin-"));
    seen = [];
    answer = (response) => {
        response.setHeader("content-type", "application/json").end('{"fine":true}');
    };
    server = createServer((request, response) => void take(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    target = {
        url: `http://127.0.0.1:${port}`,
        token: TOKEN,
        close: () => Promise.resolve(),
    };
    jest.spyOn(console, "log").mockImplementation(
        (line: unknown) => void printed.push(String(line)),
    );
});

afterEach(async () => {
    jest.restoreAllMocks();
    process.env.PATH = PATH;
    delete process.env.ADMIN_TOKEN;
    printed.length = 0;
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request;
    seen.push({
        method,
        url,
        token: headers.authorization,
        type: headers["content-type"],
        body: await text(request),
    });
    answer(response);
}

const fileOf = async (name: string, content: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, content);
    return file;
};

test("A command goes to its path with the token, and its JSON answer is printed", async () => {
    await callAdmin(target, { command: "POST /epochs", data: '{"tenant":"search"}' });
    expect(seen).toEqual([
        {
            method: "POST",
            url: "/admin/v1/epochs",
            token: `Bearer ${TOKEN}`,
            type: "application/json",
            body: '{"tenant":"search"}',
        },
    ]);
    expect(printed).toEqual(['{\n  "fine": true\n}']);
});

test("A file is sent with the type of its name, and an answer goes to a file", async () => {
    const input = await fileOf("entries.ndjson", "{}\n");
    const output = path.join(folder, "out.json");
    await callAdmin(target, { command: "POST /import", input, output });
    expect(seen[0]).toMatchObject({ type: "application/x-ndjson", body: "{}\n" });
    expect(await readFile(output, "utf8")).toBe('{"fine":true}');
    const plain = await fileOf("texts.txt", "a text\n");
    await callAdmin(target, { command: "POST /warmups?dryRun=true", input: plain });
    expect(seen[1]).toMatchObject({ type: "text/plain", body: "a text\n" });
});

test("An answer that is cut off does not look like a whole one", async () => {
    answer = (response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.write("half", () => response.destroy());
    };
    const output = path.join(folder, "entries.ndjson");
    const call = callAdmin(target, { command: "GET /export", output });
    await expect(call).rejects.toThrow(/cut off; what came is in .*entries\.ndjson\.part/);
    expect(await readdir(folder)).toEqual(["entries.ndjson.part"]);
});

test("A refusal is told in the service's words", async () => {
    answer = (response) => {
        response.statusCode = 409;
        response.end('{"error":{"message":"An import runs on this pod"}}');
    };
    await expect(callAdmin(target, { command: "GET /export" })).rejects.toThrow(
        "the admin port answered 409: An import runs on this pod",
    );
});

test.each(["", "GET", "GET state", "PATCH /state", "get /state", "GET /a b"])(
    "The command %j is refused with what is allowed",
    async (command) => {
        await expect(callAdmin(target, { command })).rejects.toThrow(
            `CMD is "${command}"; allowed: GET, POST, PUT or DELETE and a path`,
        );
        expect(seen).toEqual([]);
    },
);

test("A file that is missing is named, and nothing is there to be sent", async () => {
    const call = callAdmin(target, { command: "POST /import", input: "/none.ndjson" });
    await expect(call).rejects.toThrow('IN is "/none.ndjson", which is not there');
});

test("A port where nobody listens is told", async () => {
    const nobody = { ...target, url: "http://127.0.0.1:1" };
    await expect(callAdmin(nobody, { command: "GET /state" })).rejects.toThrow(
        /127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
    );
});

test("The commands are those that the port describes", async () => {
    const paths = { "/admin/v1/state": { get: { summary: "How it is" } } };
    answer = (response) => void response.end(JSON.stringify({ paths }));
    expect(await listCommands(target)).toEqual([expect.stringMatching(/^GET \/state +How it is$/)]);
});

test("The token of `make dev` comes from its file, and ADMIN_TOKEN comes first", async () => {
    const file = await fileOf("token", `${TOKEN}\n`);
    expect(adminOfProcess("http://127.0.0.1:8801/", file)).toMatchObject({
        url: "http://127.0.0.1:8801",
        token: TOKEN,
    });
    process.env.ADMIN_TOKEN = "another";
    expect(adminOfProcess("http://127.0.0.1:8801", file).token).toBe("another");
    delete process.env.ADMIN_TOKEN;
    expect(() => adminOfProcess("http://x", path.join(folder, "none"))).toThrow(
        /`make dev` writes it/,
    );
});

/** A cluster that has the colours' admin Secrets. */
const cluster = (data: Record<string, string> = { token: TOKEN }): Cluster => {
    const encoded = Object.entries(data).map(([key, value]) => [
        key,
        Buffer.from(value).toString("base64"),
    ]);
    const read = () => Promise.resolve({ data: Object.fromEntries(encoded) as unknown });
    return { context: "c", server: "s", objects: { read } as never, exportKubeconfig: () => "" };
};

/** Puts a script in the place of kubectl that notes its words. */
async function fakeKubectl(script: string): Promise<() => Promise<string>> {
    const words = path.join(folder, "words");
    await chmod(await fileOf("kubectl", `#!/bin/sh\necho "$@" > ${words}\n${script}\n`), 0o755);
    process.env.PATH = `${folder}:${PATH ?? ""}`;
    return () => readFile(words, "utf8");
}

test("A pod is reached by port-forward, with its Secret's token on no command line", async () => {
    const port = new URL(target.url).port;
    const words = await fakeKubectl(
        `echo "Forwarding from 127.0.0.1:${port} -> 8801"; exec sleep 100`,
    );
    const reached = await adminOfCluster(cluster(), { context: "there", colour: "green" });
    await callAdmin(reached, { command: "GET /state" });
    expect(seen[0]?.token).toBe(`Bearer ${TOKEN}`);
    await reached.close();
    expect(await words()).toBe(
        "--context there --namespace property-search-green port-forward --address 127.0.0.1 " +
            "deployment/embedding-service-green :8801\n",
    );
});

test("A forward that fails, a colour and a Secret that are not there are told", async () => {
    await fakeKubectl('echo "pods \\"x\\" not found" >&2; exit 1');
    await expect(adminOfCluster(cluster(), { colour: "blue", pod: "x" })).rejects.toThrow(
        'kubectl port-forward failed: pods "x" not found',
    );
    await expect(adminOfCluster(cluster(), { colour: "red" })).rejects.toThrow(
        'COLOUR is "red"; allowed: blue, green',
    );
    await expect(adminOfCluster(cluster({}), { colour: "blue" })).rejects.toThrow(
        "there is no Secret property-search-blue/service-admin with token",
    );
});

test("Without kubectl the way around it is told", async () => {
    process.env.PATH = folder;
    await expect(adminOfCluster(cluster(), { colour: "blue" })).rejects.toThrow(
        /^kubectl is missing: install it, or forward the port yourself and set URL and ADMIN_TOKEN/,
    );
});
