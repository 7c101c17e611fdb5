import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { nginx, startNginx } from "./nginx.ts";
import type { Peer } from "./peer.ts";

/** What this machine's sockets and this generator can do at most: a file, sent by the kernel. */
export const staticNginx: Peer = {
    name: "nginx, one file",
    what: "nginx that sends the same file to every POST: the limit of sockets and generator",
    blind: true,
    prepare: nginx.prepare,
    start: async ({ processes, core, answer }) =>
        startNginx({ processes, core }, ({ folder, port }) => {
            mkdirSync(path.join(folder, "v1"));
            writeFileSync(path.join(folder, "v1/embeddings"), answer);
            // A file is for GET only: the refusal of the POST is turned into the file.
            return `
    default_type application/json;
    open_file_cache max=10;
    server {
        listen 127.0.0.1:${port} backlog=4096;
        root ${folder};
        error_page 405 =200 $uri;
    }`;
        }),
};
