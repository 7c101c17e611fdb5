import { startUpstream } from "../upstream/start.ts";
import type { Peer } from "./peer.ts";

/** About what a hosted model takes at its quickest. */
const MODEL_MILLISECONDS = 50;

/** What clients have today: each request goes to the model. */
export const noCache: Peer = {
    name: "no cache",
    what: `straight to an upstream that answers after ${MODEL_MILLISECONDS} ms`,
    prepare: () => Promise.resolve(),
    start: async ({ processes, core }) => {
        const { url: base, running } = await startUpstream(processes, { core });
        const url = new URL(`/after/${MODEL_MILLISECONDS}${base.pathname}/embeddings`, base);
        return { ...running, url, headers: {}, version: process.version };
    },
};
