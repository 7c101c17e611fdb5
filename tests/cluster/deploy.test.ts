import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { applyStack } from "../../operations/deploy/apply/apply.ts";
import { readIfExists, type Manifest } from "../../operations/cluster/connect.ts";
import { waitReady } from "../../operations/deploy/apply/ready.ts";
import { createRecord, readRecord } from "../../operations/deploy/apply/record.ts";
import { removeStack } from "../../operations/deploy/apply/remove.ts";
import { eventually, openCluster } from "../support/cluster.ts";

const cluster = openCluster();
const stack = `test-${randomUUID().slice(0, 8)}`;
const namespace = stack;

const silent = () => undefined;

function object(kind: string, name: string, fields: object = {}): Manifest {
    return { apiVersion: "v1", kind, metadata: { name, namespace }, ...fields };
}

const namespaceManifest: Manifest = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace },
};
const first = object("ConfigMap", "first", { data: { key: "one" } });
const second = object("ConfigMap", "second", { data: { key: "two" } });

async function apply(...manifests: Manifest[]) {
    const record = await readRecord(cluster, stack);
    if (!record) throw new Error("the stack has no record");
    return applyStack({ cluster, stack, manifests, record, report: silent });
}

const reference = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", namespace, name });

beforeAll(async () => {
    await createRecord(cluster, stack, { password: "first" });
});

afterAll(async () => {
    await removeStack(cluster, stack, { report: silent });
});

describe("a stack that is applied", () => {
    test("keeps the secrets of the first deploy", async () => {
        const [one, other] = await Promise.all([
            createRecord(cluster, stack, { password: "second" }),
            createRecord(cluster, stack, { password: "third" }),
        ]);
        expect([one.secrets, other.secrets]).toEqual([
            { password: "first" },
            { password: "first" },
        ]);
    });

    test("gets all its objects, and changes nothing when nothing changed", async () => {
        const applied = await apply(namespaceManifest, first, second);
        expect(applied.changed).toHaveLength(3);
        const again = await apply(namespaceManifest, first, second);
        expect(again).toMatchObject({ total: 3, changed: [], pruned: [] });
    });

    test("loses what left the program, and nothing else of the namespace", async () => {
        const foreign = object("ConfigMap", "foreign", { data: {} });
        await cluster.objects.create(foreign);
        const applied = await apply(namespaceManifest, second);
        expect(applied.pruned).toEqual([`ConfigMap ${namespace}/first`]);
        await eventually(
            "it is gone",
            async () => !(await readIfExists(cluster, reference("first"))),
        );
        expect(await readIfExists(cluster, reference("foreign"))).toBeDefined();
    });

    test("recreates a deleted object", async () => {
        await cluster.objects.delete(reference("second"));
        const applied = await apply(namespaceManifest, second);
        expect(applied.changed).toEqual([`ConfigMap ${namespace}/second`]);
    });

    test("does not overwrite a field of another manager, and names both", async () => {
        await cluster.objects.apply({ ...second, data: { key: "theirs" } } as Manifest, {
            fieldManager: "somebody-else",
            force: true,
        });
        await expect(apply(namespaceManifest, second)).rejects.toThrow(
            /ConfigMap .*second has fields of another owner.*somebody-else.*\.data\.key/s,
        );
        const kept = await readIfExists<Manifest & { data: object }>(cluster, reference("second"));
        expect(kept?.data).toEqual({ key: "theirs" });
    });

    test("names a kind that the cluster does not know, and what to do", async () => {
        const unknown = { ...object("Certificate", "x"), apiVersion: "nowhere.example/v1" };
        await expect(apply(namespaceManifest, unknown)).rejects.toThrow(
            /does not know nowhere\.example\/v1 Certificate.*Install/s,
        );
    });

    test("is not ready while a pod cannot start, and reports the reason", async () => {
        const labels = { app: "broken" };
        const spec = {
            containers: [{ name: "main", image: "localhost/no-such-image:v1" }],
        };
        const broken: Manifest = {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name: "broken", namespace },
            ...{
                spec: {
                    selector: { matchLabels: labels },
                    template: { metadata: { labels }, spec },
                },
            },
        };
        await apply(namespaceManifest, broken);
        const waiting = waitReady({
            cluster,
            manifests: [broken],
            timeoutSeconds: 20,
            report: silent,
        });
        await expect(waiting).rejects.toThrow(
            /broken \(0\/1 ready\).*container main: (ErrImagePull|ImagePullBackOff)/s,
        );
    });

    test("goes with its record, and leaves those of other stacks", async () => {
        const other = `${stack}-other`;
        await createRecord(cluster, other, { password: "theirs" });
        const removed = await removeStack(cluster, stack, { report: silent });
        // The test's own ConfigMap keeps its namespace.
        const foreign = `Namespace ${namespace} has objects of others: ConfigMap ${namespace}/foreign`;
        expect(removed).toMatchObject({ remaining: [foreign] });
        expect(removed?.count).toBeGreaterThan(0);
        expect(await readIfExists(cluster, reference("foreign"))).toBeDefined();
        await cluster.objects.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
        expect(await readRecord(cluster, stack)).toBeUndefined();
        expect(await readRecord(cluster, other)).toMatchObject({ secrets: { password: "theirs" } });
        await removeStack(cluster, other, { report: silent });
        expect(await readRecord(cluster, other)).toBeUndefined();
    });
});
