import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { deleteIfExists, readIfExists } from "../../cluster/connect.ts";
import { createRecord, RECORD_NAMESPACE, recordReference } from "../../deploy/apply/record.ts";
import { bind, clusterId, requireBinding, stackOfCluster, unbind } from "../../deploy/binding.ts";
import { startApiServer, type ApiServer } from "../support/apiServer.ts";

let api: ApiServer;
let folder: string;

beforeEach(async () => {
    api = await startCluster();
    folder = makeTemporaryFolder();
});

afterEach(() => {
    api.close();
});

async function startCluster(): Promise<ApiServer> {
    const started = await startApiServer();
    await started.apply("kube-apiserver", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "kube-system", labels: { of: "the cluster" } },
    });
    return started;
}

function stackFile(stack: string, text = "config: {}\n"): string {
    const file = path.join(folder, `Pulumi.${stack}.yaml`);
    writeFileSync(file, text);
    return file;
}

const report = () => undefined;

test("the first deploy records the cluster with the stack and the stack on the cluster", async () => {
    const file = stackFile("prod");
    const binding = { cluster: api.cluster, stack: "prod", file, report };
    await requireBinding(binding);
    await bind(binding);
    expect(await stackOfCluster(api.cluster)).toBe("prod");
    const written = readFileSync(file, "utf8");
    expect(written).toContain(`property-search:cluster.id: ${await clusterId(api.cluster)}`);
    expect(written).toContain("property-search:cluster.context: double");

    await requireBinding(binding);
    await bind(binding);
    expect(readFileSync(file, "utf8")).toBe(written);
});

describe("the binding rejects", () => {
    test("a second stack on the cluster, by its name and the other's", async () => {
        const { cluster } = api;
        await bind({ cluster, stack: "prod", file: stackFile("prod"), report });
        const second = { cluster, stack: "dev", file: stackFile("dev"), report };
        const words =
            /cluster double has stack prod, and a cluster has one stack only; this command is for dev\./;
        await expect(requireBinding(second)).rejects.toThrow(words);
        // A deploy that has read before the other one wrote.
        await expect(bind(second)).rejects.toThrow(words);
        expect(readFileSync(second.file, "utf8")).toBe("config: {}\n");
    });

    test("another cluster, by both identities", async () => {
        const file = stackFile("prod");
        await bind({ cluster: api.cluster, stack: "prod", file, report });
        const other = await startCluster();
        await expect(
            requireBinding({ cluster: other.cluster, stack: "prod", file }),
        ).rejects.toThrow(
            `UID ${await clusterId(api.cluster)}; context double is cluster ${await clusterId(other.cluster)}`,
        );
        other.close();
    });

    test("a cluster without a readable identity", async () => {
        await api.cluster.objects.delete({
            apiVersion: "v1",
            kind: "Namespace",
            name: "kube-system",
        });
        const binding = { cluster: api.cluster, stack: "prod", file: stackFile("prod"), report };
        await expect(requireBinding(binding)).rejects.toThrow("has no readable UID");
    });
});

test("a stack with short-lived clusters keeps its file, and accepts any cluster without a stack", async () => {
    const text = "config:\n    property-search:cluster.id: any\n";
    const file = stackFile("local", text);
    const binding = { cluster: api.cluster, stack: "local", file, report };
    await bind(binding);
    expect(readFileSync(file, "utf8")).toBe(text);
    const other = await startCluster();
    await requireBinding({ ...binding, cluster: other.cluster });
    other.close();
});

test("a cluster whose stack was removed accepts another one", async () => {
    const { cluster } = api;
    await bind({ cluster, stack: "prod", file: stackFile("prod"), report });
    await unbind(cluster, "dev");
    expect(await stackOfCluster(cluster)).toBe("prod");
    await unbind(cluster, "prod");
    await requireBinding({ cluster, stack: "dev", file: stackFile("dev") });
});

test("the removal of the last stack leaves no namespace of records, and no other does", async () => {
    const { cluster } = api;
    const namespace = { apiVersion: "v1", kind: "Namespace", name: RECORD_NAMESPACE };
    await bind({ cluster, stack: "prod", file: stackFile("prod"), report });
    await createRecord(cluster, "dev", {});
    await unbind(cluster, "prod");
    expect(await readIfExists(cluster, namespace)).toBeDefined();
    await deleteIfExists(cluster, recordReference("dev"));
    await bind({ cluster, stack: "prod", file: stackFile("prod"), report });
    await unbind(cluster, "prod");
    expect(await readIfExists(cluster, namespace)).toBeUndefined();
});
