import { describe, expect, test } from "@jest/globals";
import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "../../../cluster/connect.ts";
import { floorsOf, podProblems, waitReady } from "../../../deploy/apply/ready.ts";

const metadata = { namespace: "n", name: "p" };

function waiting(reason: string, message?: string): V1Pod {
    const state = { waiting: { reason, ...(message && { message }) } };
    const container = { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state };
    return { metadata, status: { containerStatuses: [container] } };
}

describe("waitReady", () => {
    const certificate = { apiVersion: "cert-manager.io/v1", kind: "Certificate", metadata };
    const conditions = [{ type: "Ready", status: "True", observedGeneration: 1 }];
    const ready = {
        ...certificate,
        metadata: { ...metadata, generation: 1 },
        status: { conditions },
    };

    async function wait(answers: readonly (object | Error)[]): Promise<readonly string[]> {
        const lines: string[] = [];
        const left = [...answers];
        const read = () => {
            const answer = left.shift();
            return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
        };
        const cluster = { objects: { read, list: () => Promise.resolve({ items: [] }) } };
        await waitReady({
            cluster: cluster as unknown as Cluster,
            manifests: [certificate],
            timeoutSeconds: 20,
            report: (line) => lines.push(line),
        });
        return lines;
    }

    test("retries after a lost connection", async () => {
        const lost = Object.assign(new Error("x"), { code: "UND_ERR_CONNECT_TIMEOUT" });
        expect(await wait([lost, ready])).toEqual([
            expect.stringContaining("no connection to the cluster (UND_ERR_CONNECT_TIMEOUT)"),
        ]);
    });

    test("throws any other error", async () => {
        await expect(wait([new Error("not yours to read"), ready])).rejects.toThrow("not yours");
    });
});

describe("floorsOf", () => {
    const scaler = (kind: string, name: string, floor: object) => ({
        apiVersion: "v1",
        kind,
        metadata: { namespace: "n", name: `${name}-scaler` },
        spec: { scaleTargetRef: { name }, ...floor },
    });

    test("returns the floor of an autoscaler and of a ScaledObject, by the Deployment", () => {
        const floors = floorsOf([
            scaler("HorizontalPodAutoscaler", "a", { minReplicas: 2 }),
            scaler("ScaledObject", "b", { minReplicaCount: 3 }),
            scaler("HorizontalPodAutoscaler", "c", {}),
        ]);
        expect([...floors]).toEqual([
            ["n/a", 2],
            ["n/b", 3],
            ["n/c", 1],
        ]);
    });

    test("ignores other kinds", () => {
        expect(floorsOf([scaler("Deployment", "a", { minReplicas: 2 })]).size).toBe(0);
    });
});

describe("problemsOf", () => {
    test("reports why a pod is not scheduled", () => {
        const message = "0/1 nodes are available: 1 Insufficient cpu.";
        const conditions = [{ type: "PodScheduled", status: "False", message }];
        expect(podProblems({ metadata, status: { conditions } })).toEqual([
            { text: `n/p: ${message}`, unrecoverable: false },
        ]);
    });

    test("reports an image that cannot be pulled as unrecoverable, with the container", () => {
        const [problem] = podProblems(waiting("ImagePullBackOff", "not found"));
        expect(problem).toEqual({
            text: expect.stringContaining("n/p, container c: ImagePullBackOff; not found"),
            unrecoverable: true,
        });
    });

    test("ignores a container that is being created", () => {
        expect(podProblems(waiting("ContainerCreating"))).toEqual([]);
    });

    test("ignores a pod without a status", () => {
        expect(podProblems({ metadata })).toEqual([]);
    });
});
