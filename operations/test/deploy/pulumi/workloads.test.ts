import { beforeEach, describe, expect, test } from "@jest/globals";
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../../tests/support/temporaryFolder.ts";
import type { Cluster } from "../../../cluster/connect.ts";
import { createEventReader, type EngineEvent } from "../../../deploy/pulumi/events.ts";
import { findStuckPods } from "../../../deploy/pulumi/stuckPods.ts";
import { trackSteps, type Workload } from "../../../deploy/pulumi/workloads.ts";

describe("the engine's events", () => {
    let folder: string;

    beforeEach(() => {
        folder = makeTemporaryFolder();
    });

    test("are read while they are written, each once and complete", async () => {
        const file = path.join(folder, "log");
        const read = createEventReader(file);
        const message = (text: string) => ({
            diagnosticEvent: { message: text, severity: "info" as const },
        });
        expect(await read()).toEqual([]);
        const [one, two] = [JSON.stringify(message("ö")), JSON.stringify(message("two"))];
        const bytes = Buffer.from(`${one}\n${two}\n`);
        const cut = bytes.indexOf("ö") + 1;
        await appendFile(file, bytes.subarray(0, cut));
        expect(await read()).toEqual([]);
        await appendFile(file, bytes.subarray(cut));
        expect(await read()).toEqual([message("ö"), message("two")]);
        expect(await read()).toEqual([]);
    });
});

test("an update waits for workloads whose step has started and not ended", () => {
    const metadata = (op: string, kind: string, name: string) => ({
        op,
        urn: `urn:${name}`,
        type: "t",
        new: { inputs: { kind, metadata: { namespace: "blue", name } } },
    });
    const begun = (...one: [string, string, string]): EngineEvent => ({
        resourcePreEvent: { metadata: metadata(...one) },
    });
    const awaited = new Map<string, Workload>();
    trackSteps(awaited, [
        begun("update", "Deployment", "one"),
        begun("create", "StatefulSet", "two"),
        begun("create", "Service", "no workload"),
        begun("same", "Deployment", "unchanged"),
        begun("refresh", "Deployment", "read"),
        begun("update", "Job", "failed"),
    ]);
    trackSteps(awaited, [
        { resOutputsEvent: { metadata: metadata("create", "StatefulSet", "two") } },
        { resOpFailedEvent: { metadata: metadata("update", "Job", "failed") } },
    ]);
    expect([...awaited.values()]).toEqual([{ kind: "Deployment", namespace: "blue", name: "one" }]);
});

test("only pods of a Deployment's newest template count; for other kinds all pods do", async () => {
    const owner = (kind: string, name: string) => [{ kind, name, apiVersion: "", uid: "" }];
    const set = (name: string, revision: string) => ({
        metadata: {
            name,
            annotations: { "deployment.kubernetes.io/revision": revision },
            ownerReferences: owner("Deployment", "service"),
        },
    });
    const pod = (name: string, kind: string, of: string, reason: string) => ({
        metadata: { namespace: "blue", name, ownerReferences: owner(kind, of) },
        status: { containerStatuses: [{ name: "c", state: { waiting: { reason } } }] },
    });
    const lists: Readonly<Record<string, readonly object[]>> = {
        ReplicaSet: [set("service-9", "9"), set("service-10", "10")],
        Pod: [
            pod("old", "ReplicaSet", "service-9", "ImagePullBackOff"),
            pod("new", "ReplicaSet", "service-10", "ImagePullBackOff"),
            pod("starting", "ReplicaSet", "service-10", "ContainerCreating"),
            pod("other", "ReplicaSet", "other-1", "ImagePullBackOff"),
            pod("redis-0", "StatefulSet", "redis", "CrashLoopBackOff"),
        ],
    };
    const list = (_: string, kind: string) => Promise.resolve({ items: lists[kind] });
    const cluster = { objects: { list } } as unknown as Cluster;
    const workloads = [
        { kind: "Deployment", namespace: "blue", name: "service" },
        { kind: "StatefulSet", namespace: "blue", name: "redis" },
    ];
    const found = await findStuckPods(cluster, workloads);
    expect(found.map((text) => text.split(",")[0])).toEqual(["blue/new", "blue/redis-0"]);
    expect(await findStuckPods(cluster, [])).toEqual([]);
});
