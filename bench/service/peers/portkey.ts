import path from "node:path";

import { freePort, untilAnswers } from "../processes/network.ts";
import { once } from "../../shared/install.ts";
import { runOrThrow } from "../../shared/runToEnd.ts";
import type { Peer } from "./peer.ts";

/**
 * Not 1.15.2: it answers OpenAI's embeddings with a 500 ("TypeError: immutable", since it changes the
 * headers of a fetched response), and turns base64 into numbers for the other providers.
 */
const VERSION = "1.9.8";
const START = "node_modules/@portkey-ai/gateway/build/start-server.js";

/** A gateway whose open-source edition has a cache in its interface and none behind it. */
export const portkey: Peer = {
    name: "Portkey gateway",
    what: `Portkey's open-source gateway ${VERSION}, which passes every request through`,
    prepare: async (say) => {
        say(`Portkey gateway ${VERSION}`);
        await install();
    },
    start: async ({ processes, core, upstream }) => {
        const folder = await install();
        const port = await freePort();
        const args = [path.join(folder, START), `--port=${port}`, "--headless"];
        const running = processes.start(process.execPath, args, {
            name: `portkey-${port}`,
            core,
            env: { NODE_ENV: "production" },
        });
        const url = new URL(`http://127.0.0.1:${port}/v1/embeddings`);
        await untilAnswers("Portkey gateway", new URL("/", url), running);
        const headers = {
            authorization: "Bearer none",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": upstream.href,
            "x-portkey-config": JSON.stringify({ cache: { mode: "simple" } }),
        };
        return { ...running, url, headers, version: VERSION };
    },
};

function install(): Promise<string> {
    return once(`portkey-${VERSION}`, async (folder) => {
        const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
        const args = ["install", "--prefix", folder, ...quiet, `@portkey-ai/gateway@${VERSION}`];
        await runOrThrow("npm", args);
    });
}
