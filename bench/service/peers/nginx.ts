import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { freePort, waitUntilReady } from "../processes/network.ts";
import { installDebianPackage } from "../../shared/install.ts";
import { runToEnd } from "../../shared/runToEnd.ts";
import type { Target, Resources, Peer } from "./peer.ts";

const NGINX = "/usr/sbin/nginx";

/** The alternative without a service of its own: an HTTP cache in front of the upstream. */
export const nginx: Peer = {
    name: "nginx proxy_cache",
    description: "nginx, one worker, proxy_cache keyed by the whole body",
    install: async (showProgress) => {
        showProgress("nginx");
        await installDebianPackage(NGINX, "nginx-light");
    },
    start: (resources) =>
        startNginx(resources, (place) => cachingServer(place, resources.upstream)),
};

interface Place {
    readonly folder: string;
    readonly port: number;
}

/** @param http content of the http block */
export async function startNginx(
    { processes, core }: Pick<Resources, "processes" | "core">,
    http: (place: Place) => string,
): Promise<Target> {
    const port = await freePort();
    const folder = path.join(processes.folder, `nginx-${port}`);
    mkdirSync(folder);
    const file = path.join(folder, "nginx.conf");
    writeFileSync(file, nginxConfig(folder, process.getuid?.() === 0, http({ folder, port })));
    const args = ["-e", "stderr", "-p", folder, "-c", file];
    const running = processes.start(NGINX, args, { name: `nginx-${port}`, core });
    const url = new URL(`http://127.0.0.1:${port}/v1/embeddings`);
    await waitUntilReady("nginx", new URL("/", url), running);
    const { stderr } = await runToEnd(NGINX, ["-v"]);
    return { ...running, url, headers: {}, version: stderr.replace("nginx version: nginx/", "") };
}

/** @param root whether nginx starts as root, which requires the name of the worker's user */
function nginxConfig(folder: string, root: boolean, http: string): string {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((kind) => `    ${kind}_temp_path ${folder}/${kind};`)
        .join("\n");
    return `
daemon off;
${root ? "user root;" : ""}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
    access_log off;
${temporary}
    keepalive_requests 1000000000;
    keepalive_timeout 95s;
    sendfile on;
    tcp_nopush on;
${http}
}
`;
}

/**
 * nginx writes a body larger than the buffer to a file and leaves `$request_body` empty, so that all such requests
 * have the same key. This buffer is four times the default and holds every body of the benchmarks.
 */
function cachingServer({ folder, port }: Place, upstream: URL): string {
    return `
    client_max_body_size 16m;
    client_body_buffer_size 64k;
    open_file_cache max=10000;
    proxy_cache_path ${folder}/cache levels=1:2 keys_zone=embeddings:64m max_size=4g inactive=1d;
    upstream model {
        server ${upstream.host};
        keepalive 16;
    }
    server {
        listen 127.0.0.1:${port} backlog=4096;
        location = /v1/embeddings {
            proxy_pass http://model;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffers 16 64k;
            proxy_buffer_size 64k;
            proxy_cache embeddings;
            proxy_cache_methods POST;
            proxy_cache_key $uri$request_body;
            proxy_cache_valid 200 1h;
            proxy_cache_lock on;
        }
    }`;
}
