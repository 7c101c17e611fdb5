import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { KubeConfig } from "@kubernetes/client-node";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { bind, clusterId } from "../../deploy/binding.ts";
import { connectStack } from "../../deploy/connectStack.ts";
import { startApiServer, type ApiServer } from "../support/apiServer.ts";

let own: ApiServer;
let current: ApiServer;
let folder: string;
let kubeconfig: string;
let file: string;

/** A kubeconfig with the contexts `own` and `current`; the latter is current. */
beforeEach(async () => {
    [own, current] = await Promise.all([startApiServer(), startApiServer()]);
    for (const api of [own, current]) {
        const metadata = { name: "kube-system", labels: { of: "the cluster" } };
        await api.apply("kube-apiserver", { apiVersion: "v1", kind: "Namespace", metadata });
    }
    folder = makeTemporaryFolder();
    kubeconfig = path.join(folder, "kubeconfig");
    const config = new KubeConfig();
    const user = { name: "me" };
    config.loadFromOptions({
        clusters: Object.entries({ own, current }).map(([name, { cluster }]) => ({
            name,
            server: cluster.server,
            skipTLSVerify: true,
        })),
        users: [user],
        contexts: ["own", "current"].map((name) => ({ name, cluster: name, user: "me" })),
        currentContext: "current",
    });
    writeFileSync(kubeconfig, config.exportConfig());
    file = path.join(folder, "Pulumi.dev.yaml");
    writeFileSync(file, "config:\n    property-search:cluster.context: own\n");
});

afterEach(() => {
    own.close();
    current.close();
});

test("commands of a stack use its own context, whichever is current", async () => {
    expect((await connectStack({ stack: "dev", kubeconfig, file })).context).toBe("own");
    const choice = { stack: "dev", kubeconfig, file, context: "current" };
    expect((await connectStack(choice)).context).toBe("current");
    expect((await connectStack({ kubeconfig })).context).toBe("current");
});

test("no command of a stack uses the cluster of another stack", async () => {
    const { cluster } = current;
    const other = path.join(folder, "Pulumi.prod.yaml");
    writeFileSync(other, "config: {}\n");
    await bind({ cluster, stack: "prod", file: other, report: () => undefined });
    await expect(
        connectStack({ stack: "dev", kubeconfig, file, context: "current" }),
    ).rejects.toThrow(/cluster current has stack prod.*this command is for dev/);
    const id = await clusterId(own.cluster);
    writeFileSync(file, `config:\n    property-search:cluster.id: ${id}\n`);
    await expect(connectStack({ stack: "dev", kubeconfig, file })).rejects.toThrow(
        `stack dev is bound to the cluster whose kube-system has the UID ${id}`,
    );
});
