import { writeFileSync } from "node:fs";
import path from "node:path";

import { freePort, untilAnswers } from "../../processes/network.ts";
import type { Peer } from "../peer.ts";

const SERVER = path.join(import.meta.dirname, "server.ts");

/** The limit of the runtime: what no service on node:http can pass. */
export const raw: Peer = {
    name: "raw node:http",
    what: "node:http that reads the body and sends one ready buffer of the same size",
    blind: true,
    prepare: () => Promise.resolve(),
    start: async ({ processes, core, answer }) => {
        const port = await freePort();
        const file = path.join(processes.folder, `raw-${port}.json`);
        writeFileSync(file, answer);
        const args = [SERVER, String(port), file];
        const running = processes.start(process.execPath, args, { name: `raw-${port}`, core });
        const url = new URL(`http://127.0.0.1:${port}/v1/embeddings`);
        await untilAnswers("raw node:http", url, running);
        return { ...running, url, headers: {}, version: process.version };
    },
};
