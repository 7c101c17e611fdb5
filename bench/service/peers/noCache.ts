import { startUpstream } from "../upstream/start.ts";
import type { Peer } from "./peer.ts";

/** About the fastest answer of a hosted model. */
const MODEL_MILLISECONDS = 50;

/** No service at all: each request goes to the model. */
export const noCache: Peer = {
    name: "no cache",
    description: `directly to an upstream that answers after ${MODEL_MILLISECONDS} ms`,
    install: () => Promise.resolve(),
    start: async ({ processes, core }) => {
        const { url: base, running } = await startUpstream(processes, { core });
        const url = new URL(`/after/${MODEL_MILLISECONDS}${base.pathname}/embeddings`, base);
        return { ...running, url, headers: {}, version: process.version };
    },
};
