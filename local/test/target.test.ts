import { describe, expect, test } from "@jest/globals";
import { chooseTarget } from "../src/target.ts";

const platform = "linux" as const;
const nothing = { kindExists: false, nodeExists: false, platform };
const bare = { ...nothing, kindProblem: "no container engine responds" };
const docker = nothing;

describe("chooseTarget", () => {
    test("uses the requested context, whatever else exists", () => {
        const named = { ...docker, nodeExists: true, requested: "node", context: "staging" };
        expect(chooseTarget(named)).toMatchObject({ kind: "context", context: "staging" });
    });

    test("chooses kind if it works and a single-node cluster otherwise, with the reason", () => {
        expect(chooseTarget(docker)).toMatchObject({ kind: "kind" });
        expect(chooseTarget(bare)).toEqual({
            kind: "node",
            reason: "no container engine responds",
        });
    });

    test("keeps an existing node, even if Docker has been installed since", () => {
        expect(chooseTarget({ ...docker, nodeExists: true })).toMatchObject({ kind: "node" });
    });

    test("keeps an existing kind cluster, even if there is a single-node cluster", () => {
        const both = { ...docker, kindExists: true, nodeExists: true };
        expect(chooseTarget(both)).toEqual({
            kind: "kind",
            reason: "it exists already",
        });
    });

    test("uses the kind of cluster that CLUSTER requests", () => {
        expect(chooseTarget({ ...docker, requested: "node" })).toMatchObject({ kind: "node" });
        expect(chooseTarget({ ...docker, nodeExists: true, requested: "kind" })).toMatchObject({
            kind: "kind",
        });
    });

    test("rejects an unavailable cluster and an unknown value", () => {
        expect(() => chooseTarget({ ...bare, requested: "kind" })).toThrow(
            "CLUSTER is kind, but no container engine responds",
        );
        expect(() => chooseTarget({ ...docker, requested: "minikube" })).toThrow(
            'CLUSTER is "minikube"; allowed: kind, node',
        );
    });

    test("uses kind on macOS, and names the alternatives if it cannot", () => {
        const macos = { ...bare, platform: "darwin" } as const;
        expect(chooseTarget({ ...docker, platform: "darwin" })).toMatchObject({ kind: "kind" });
        expect(() => chooseTarget(macos)).toThrow(
            "no container engine responds, and a cluster without an engine needs Linux (this is darwin): " +
                "start Docker, Podman or nerdctl for a kind cluster, or use an existing cluster: " +
                "make up CONTEXT=name",
        );
        expect(chooseTarget({ ...macos, context: "mine" })).toMatchObject({ kind: "context" });
    });

    test.each(["", undefined])("treats an empty value (%j) as not set", (value) => {
        const absent = value === undefined ? {} : { context: value, requested: value };
        expect(chooseTarget({ ...bare, ...absent })).toMatchObject({ kind: "node" });
    });
});
