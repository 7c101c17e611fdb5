import { writeFileSync } from "node:fs";
import path from "node:path";

import { freePort, waitUntilReady } from "../../processes/network.ts";
import type { Peer } from "../peer.ts";

const SERVER = path.join(import.meta.dirname, "server.ts");

/** The limit of the runtime: no service on node:http is faster. */
export const raw: Peer = {
    name: "raw node:http",
    description: "node:http that reads the body and sends a prepared buffer of the same size",
    sendsFixedBytes: true,
    install: () => Promise.resolve(),
    start: async ({ processes, core, answer }) => {
        const port = await freePort();
        const file = path.join(processes.folder, `raw-${port}.json`);
        writeFileSync(file, answer);
        const args = [SERVER, String(port), file];
        const running = processes.start(process.execPath, args, { name: `raw-${port}`, core });
        const url = new URL(`http://127.0.0.1:${port}/v1/embeddings`);
        await waitUntilReady("raw node:http", url, running);
        return { ...running, url, headers: {}, version: process.version };
    },
};
