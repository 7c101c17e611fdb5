import { afterEach, beforeEach, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { requireBoundCluster } from "../../config/boundCluster.ts";
import { bind, clusterId, stackOfCluster } from "../../operations/deploy/binding.ts";
import { isPermanentFailure } from "../../operations/release/traffic/pulumiLock.ts";
import { startApiServer, type ApiServer } from "../../operations/test/support/apiServer.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

let api: ApiServer;
let folder: string;

beforeEach(async () => {
    api = await startApiServer();
    const metadata = { name: "kube-system", labels: { of: "the cluster" } };
    await api.apply("kube-apiserver", { apiVersion: "v1", kind: "Namespace", metadata });
    folder = makeTemporaryFolder();
    process.env.KUBECONFIG = path.join(folder, "config");
    const kubeconfig = api.cluster.exportKubeconfig();
    writeFileSync(process.env.KUBECONFIG, kubeconfig);
    await startProgram({ isPreview: true });
});

afterEach(() => {
    api.close();
});

async function startProgram({ isPreview }: { readonly isPreview: boolean }): Promise<void> {
    const mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };
    await pulumi.runtime.setMocks(mocks, "property-search", "dev", isPreview);
}

const refusal = (id?: string) =>
    requireBoundCluster({ id, provider: {}, protectData: true }).then(
        () => "none",
        (error: unknown) => {
            expect(pulumi.RunError.isInstance(error)).toBe(true);
            // A switch does not retry its update.
            expect(isPermanentFailure(String(error))).toBe(true);
            return String(error);
        },
    );

test("the program declares nothing on the cluster of another stack", async () => {
    expect(await refusal()).toBe("none");
    const file = path.join(folder, "Pulumi.other.yaml");
    writeFileSync(file, "config: {}\n");
    await bind({ cluster: api.cluster, stack: "other", file, report: () => undefined });
    const words = /has stack other, and a cluster has one stack only/;
    expect(await refusal()).toMatch(words);
    await startProgram({ isPreview: false });
    expect(await refusal(await clusterId(api.cluster))).toMatch(words);
});

test("the program declares nothing on another cluster than the config's", async () => {
    const elsewhere = "00000000-0000-4000-8000-000000000000";
    expect(await refusal(elsewhere)).toMatch(
        /stack dev is bound to the cluster whose .* UID 00000000/,
    );
});

test("an update records the stack on its cluster, a preview writes nothing", async () => {
    const id = await clusterId(api.cluster);
    expect(await refusal(id)).toBe("none");
    expect(await stackOfCluster(api.cluster)).toBeUndefined();
    await startProgram({ isPreview: false });
    expect(await refusal(id)).toBe("none");
    expect(await stackOfCluster(api.cluster)).toBe("dev");
    expect(await refusal("any")).toBe("none");
});

test("an update of a stack that names no cluster is refused by what to do", async () => {
    await startProgram({ isPreview: false });
    expect(await refusal()).toMatch(
        /dev names no cluster yet: make secrets STACK=dev writes cluster\.id/,
    );
    expect(await stackOfCluster(api.cluster)).toBeUndefined();
});
