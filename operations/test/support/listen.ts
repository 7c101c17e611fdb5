import { KubeConfig } from "@kubernetes/client-node";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cluster } from "../../cluster/connect.ts";
import { ObjectApi } from "../../cluster/objects.ts";

/** Starts an API server double on a free port of this machine. */
export async function listen(server: Server) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
        { name: "double", server: url, skipTLSVerify: true },
        { name: "user" },
    );
    const cluster: Cluster = {
        context: "double",
        server: url,
        objects: config.makeApiClient(ObjectApi),
        exportKubeconfig: () => config.exportConfig(),
    };
    return { url, cluster };
}
