import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { optimize } from "../../optimize/optimize.ts";

const TOKEN = "token of the stack";

let server: Server;
let folder: string;
let tokens: Set<string | undefined>;
let status: number;

/** A Prometheus without any series. */
beforeEach(async () => {
    folder = makeTemporaryFolder();
    tokens = new Set();
    status = 200;
    server = createServer(({ headers }, response) => {
        tokens.add(headers.authorization);
        response.writeHead(status).end('{"status":"success","data":{"result":[]}}');
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
});

afterEach(() => {
    server.close();
    server.closeAllConnections();
});

/** A cluster whose stack uses this Prometheus, and that has no pod of the service. */
function cluster(): Cluster {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const token = Buffer.from(TOKEN).toString("base64");
    const read = ({ kind = "", name = "" }: { kind?: string; name?: string }) => {
        const objects: Readonly<Record<string, object>> = {
            ConfigMap: { data: { url } },
            Secret: { data: { token } },
        };
        return objects[kind] && name.startsWith("prometheus")
            ? Promise.resolve(objects[kind])
            : Promise.reject(Object.assign(new Error("none"), { code: 404 }));
    };
    const objects = { read, list: () => Promise.resolve({ items: [] }) };
    return { context: "c", server: "", objects, exportKubeconfig: () => "" } as unknown as Cluster;
}

const run = (lines: string[] = []) =>
    optimize(cluster(), {
        out: folder,
        hours: "2",
        report: (line) => lines.push(line),
        signal: new AbortController().signal,
    });

test("the report is written by the stack's Prometheus and token, and no token stays on disk", async () => {
    const before = await listTemporary();
    await run();
    expect(tokens).toEqual(new Set([`Bearer ${TOKEN}`]));
    const [day] = (await readdir(folder)).filter((name) => /^\d/.test(name));
    const report = await readFile(path.join(folder, day ?? "", "report.json"), "utf8");
    expect(JSON.parse(report)).toMatchObject({
        window: { hours: 2 },
        completeness: { state: "not measured" },
        hotKeys: null,
    });
    expect(await listTemporary()).toEqual(before);
});

test("a failed analysis is a failure", async () => {
    status = 400;
    await expect(run()).rejects.toThrow("the analysis failed; its error is above");
});

async function listTemporary(): Promise<readonly string[]> {
    return (await readdir(tmpdir())).filter((name) => name.startsWith("optimize-"));
}
