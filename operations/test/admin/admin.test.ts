import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { once } from "node:events";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { callAdmin, listCommands } from "../../admin/call.ts";
import { clusterAdminTarget, processAdminTarget, type AdminTarget } from "../../admin/target.ts";
import type { Cluster } from "../../cluster/connect.ts";

const TOKEN = "a-token-of-more-than-32-characters-for-tests";

let folder: string;
let server: Server;
let target: AdminTarget;
let received: (Pick<IncomingMessage, "method" | "url"> & {
    token: string | undefined;
    type: string | undefined;
    body: string;
})[];
let answer: (response: ServerResponse) => void;
const printed: string[] = [];

beforeEach(async () => {
    folder = makeTemporaryFolder();
    received = [];
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

afterEach(() => {
    jest.restoreAllMocks();
    delete process.env.ADMIN_TOKEN;
    printed.length = 0;
    server.close();
    server.closeAllConnections();
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request;
    received.push({
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

test("A command is sent to its path with the token, and its JSON response is printed", async () => {
    await callAdmin(target, { command: "POST /epochs", data: '{"tenant":"search"}' });
    expect(received).toEqual([
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

test("A file is sent with the content type of its extension, and a response is written to a file", async () => {
    const input = await fileOf("entries.ndjson", "{}\n");
    const output = path.join(folder, "out.json");
    await callAdmin(target, { command: "POST /import", input, output });
    expect(received[0]).toMatchObject({ type: "application/x-ndjson", body: "{}\n" });
    expect(await readFile(output, "utf8")).toBe('{"fine":true}');
    const plain = await fileOf("texts.txt", "a text\n");
    await callAdmin(target, { command: "POST /warmups?dryRun=true", input: plain });
    expect(received[1]).toMatchObject({ type: "text/plain", body: "a text\n" });
});

test("A truncated response does not look complete", async () => {
    answer = (response) => {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.write("half", () => response.destroy());
    };
    const output = path.join(folder, "entries.ndjson");
    const call = callAdmin(target, { command: "GET /export", output });
    await expect(call).rejects.toThrow(
        /truncated; the received part is in .*entries\.ndjson\.part/,
    );
    expect(await readdir(folder)).toEqual(["entries.ndjson.part"]);
});

test("An error response is reported with the service's message", async () => {
    answer = (response) => {
        response.statusCode = 409;
        response.end('{"error":{"message":"An import is running on this pod"}}');
    };
    await expect(callAdmin(target, { command: "GET /export" })).rejects.toThrow(
        "the admin port responded with 409: An import is running on this pod",
    );
});

test.each(["GET", "GET state", "PATCH /state", "get /state", "GET /a b"])(
    "The command %j is refused with what is allowed",
    async (command) => {
        await expect(callAdmin(target, { command })).rejects.toThrow(
            `CMD is "${command}"; allowed: GET, POST, PUT or DELETE and a path`,
        );
        expect(received).toEqual([]);
    },
);

test("A missing file is named, and nothing is sent", async () => {
    const call = callAdmin(target, { command: "POST /import", input: "/none.ndjson" });
    await expect(call).rejects.toThrow('IN is "/none.ndjson", which does not exist');
});

test("A port without a listener is reported", async () => {
    const nobody = { ...target, url: "http://127.0.0.1:1" };
    await expect(callAdmin(nobody, { command: "GET /state" })).rejects.toThrow(
        /127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
    );
});

test("The commands are those of the port's OpenAPI document", async () => {
    const paths = { "/admin/v1/state": { get: { summary: "How it is" } } };
    answer = (response) => void response.end(JSON.stringify({ paths }));
    expect(await listCommands(target)).toEqual([expect.stringMatching(/^GET \/state +How it is$/)]);
});

test("The token of `make dev` comes from its file, and ADMIN_TOKEN takes precedence", async () => {
    const file = await fileOf("token", `${TOKEN}\n`);
    expect(processAdminTarget("http://127.0.0.1:8801/", file)).toMatchObject({
        url: "http://127.0.0.1:8801",
        token: TOKEN,
    });
    process.env.ADMIN_TOKEN = "another";
    expect(processAdminTarget("http://127.0.0.1:8801", file).token).toBe("another");
    delete process.env.ADMIN_TOKEN;
    expect(() => processAdminTarget("http://x", path.join(folder, "none"))).toThrow(
        /`make dev` creates it/,
    );
});

interface Holding {
    readonly data?: Readonly<Record<string, string>>;
    readonly pods?: readonly object[];
    readonly phase?: string;
}

/** A cluster that has the colours' admin Secrets and these pods. */
function clusterOf({ data = { token: TOKEN }, pods = [], phase = "Pending" }: Holding): Cluster {
    const secret: unknown = Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    );
    const objects = {
        read: ({ kind, name }: { kind: string; name: string }) => {
            if (kind === "Secret") return Promise.resolve({ data: secret });
            if (name !== "gone") return Promise.resolve({ status: { phase } });
            const body = { message: 'pods "gone" not found' };
            return Promise.reject(Object.assign(new Error("404"), { code: 404, body }));
        },
        list: () => Promise.resolve({ items: pods }),
    };
    const exportKubeconfig = () => "{}";
    return { context: "c", server: "s", objects: objects as never, exportKubeconfig };
}

test.each([
    [{}, { colour: "red" }, 'COLOUR is "red"; allowed: blue, green'],
    [
        { data: {} },
        { colour: "blue" },
        "Secret property-search-blue/service-admin with token does not exist: deploy the stack",
    ],
    [
        { pods: [podThat("False"), podThat("True", "2026-01-01T00:00:00Z")] },
        { colour: "blue" },
        "property-search-blue has no ready pod of embedding-service-blue",
    ],
    [
        {},
        { colour: "blue", pod: "gone" },
        'pod property-search-blue/gone cannot be reached: pods "gone" not found',
    ],
    [
        { pods: [podThat("True")] },
        { colour: "blue" },
        "pod property-search-blue/a-pod cannot be reached: it is Pending",
    ],
])(
    "An unreachable target is reported with the existing ones (%#)",
    async (holding, choice, words) => {
        await expect(clusterAdminTarget(clusterOf(holding), choice)).rejects.toThrow(words);
    },
);

function podThat(ready: string, deletionTimestamp?: string): object {
    const metadata = { name: "a-pod", ...(deletionTimestamp && { deletionTimestamp }) };
    return { metadata, status: { conditions: [{ type: "Ready", status: ready }] } };
}
