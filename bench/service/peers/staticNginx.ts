import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { nginx, startNginx } from "./nginx.ts";
import type { Peer } from "./peer.ts";

/** The upper limit of sockets and generator on this machine: the kernel sends a file. */
export const staticNginx: Peer = {
    name: "nginx, one file",
    description:
        "nginx with one static file as the answer to every POST: the limit of sockets and generator",
    sendsFixedBytes: true,
    install: nginx.install,
    start: async ({ processes, core, answer }) =>
        startNginx({ processes, core }, ({ folder, port }) => {
            mkdirSync(path.join(folder, "v1"));
            writeFileSync(path.join(folder, "v1/embeddings"), answer);
            // Files are for GET only; error_page turns the 405 for the POST into the file.
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
