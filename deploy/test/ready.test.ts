import { describe, expect, test } from "@jest/globals";
import type { V1Pod } from "@kubernetes/client-node";
import { floorsOf, problemsOf } from "../src/apply/ready.ts";

const metadata = { namespace: "n", name: "p" };

function waiting(reason: string, message?: string): V1Pod {
    const state = { waiting: { reason, ...(message && { message }) } };
    const container = { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state };
    return { metadata, status: { containerStatuses: [container] } };
}

describe("floorsOf", () => {
    const scaler = (kind: string, name: string, floor: object) => ({
        apiVersion: "v1",
        kind,
        metadata: { namespace: "n", name: `${name}-scaler` },
        spec: { scaleTargetRef: { name }, ...floor },
    });

    test("knows the floor of an autoscaler and of a ScaledObject, by the Deployment", () => {
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

    test("takes nothing else for an autoscaler", () => {
        expect(floorsOf([scaler("Deployment", "a", { minReplicas: 2 })]).size).toBe(0);
    });
});

describe("problemsOf", () => {
    test("says that a pod found no node, and why", () => {
        const message = "0/1 nodes are available: 1 Insufficient cpu.";
        const conditions = [{ type: "PodScheduled", status: "False", message }];
        expect(problemsOf({ metadata, status: { conditions } })).toEqual([
            { text: `n/p: ${message}`, hopeless: false },
        ]);
    });

    test("calls an image that cannot be pulled hopeless and names the container", () => {
        const [problem] = problemsOf(waiting("ImagePullBackOff", "not found"));
        expect(problem).toEqual({
            text: expect.stringContaining("n/p, container c: ImagePullBackOff; not found"),
            hopeless: true,
        });
    });

    test("is silent about a container that is only being made", () => {
        expect(problemsOf(waiting("ContainerCreating"))).toEqual([]);
    });

    test("is silent about a pod that has not been looked at yet", () => {
        expect(problemsOf({ metadata })).toEqual([]);
    });
});
