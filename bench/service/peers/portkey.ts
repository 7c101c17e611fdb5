import path from "node:path";

import { freePort, waitUntilReady } from "../processes/network.ts";
import { installOnce } from "../../shared/install.ts";
import { runOrThrow } from "../../shared/runToEnd.ts";
import type { Peer } from "./peer.ts";

/**
 * Not 1.15.2, which answers OpenAI's embeddings with a 500 ("TypeError: immutable": it changes the headers of a
 * fetched response) and converts base64 to numbers for other providers.
 */
const VERSION = "1.9.8";
const START = "node_modules/@portkey-ai/gateway/build/start-server.js";

/** A gateway whose open-source edition accepts cache settings but has no cache. */
export const portkey: Peer = {
    name: "Portkey gateway",
    description: `Portkey's open-source gateway ${VERSION}, which forwards every request`,
    install: async (showProgress) => {
        showProgress(`Portkey gateway ${VERSION}`);
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
        await waitUntilReady("Portkey gateway", new URL("/", url), running);
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
    return installOnce(`portkey-${VERSION}`, async (folder) => {
        const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
        const args = ["install", "--prefix", folder, ...quiet, `@portkey-ai/gateway@${VERSION}`];
        await runOrThrow("npm", args);
    });
}
