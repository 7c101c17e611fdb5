import { describe, expect, test } from "@jest/globals";
import { chooseTarget } from "../src/target.ts";

const platform = "linux" as const;
const nothing = { kindHere: false, node: false, platform };
const bare = { ...nothing, kindMissing: "no container engine answers here" };
const docker = nothing;

describe("chooseTarget", () => {
    test("takes the cluster that is named, whatever else is here", () => {
        const named = { ...docker, node: true, asked: "node", context: "staging" };
        expect(chooseTarget(named)).toMatchObject({ kind: "context", context: "staging" });
    });

    test("takes kind where it works, and a node of its own where it does not, and says why", () => {
        expect(chooseTarget(docker)).toMatchObject({ kind: "kind" });
        expect(chooseTarget(bare)).toEqual({
            kind: "node",
            why: "no container engine answers here",
        });
    });

    test("stays with the node that is here, also when Docker has come meanwhile", () => {
        expect(chooseTarget({ ...docker, node: true })).toMatchObject({ kind: "node" });
    });

    test("stays with the cluster of kind that is here, also when there is a node, such as another user's", () => {
        const both = { ...docker, kindHere: true, node: true };
        expect(chooseTarget(both)).toEqual({
            kind: "kind",
            why: "a cluster of kind is here already",
        });
    });

    test("does what CLUSTER asks for", () => {
        expect(chooseTarget({ ...docker, asked: "node" })).toMatchObject({ kind: "node" });
        expect(chooseTarget({ ...docker, node: true, asked: "kind" })).toMatchObject({
            kind: "kind",
        });
    });

    test("refuses what cannot be had, and a word that it does not know", () => {
        expect(() => chooseTarget({ ...bare, asked: "kind" })).toThrow(
            "CLUSTER is kind, but no container engine answers here",
        );
        expect(() => chooseTarget({ ...docker, asked: "minikube" })).toThrow(
            'CLUSTER is "minikube"; allowed: kind, node',
        );
    });

    test("takes kind on macOS, and says what else there is where it cannot", () => {
        const macos = { ...bare, platform: "darwin" } as const;
        expect(chooseTarget({ ...docker, platform: "darwin" })).toMatchObject({ kind: "kind" });
        expect(() => chooseTarget(macos)).toThrow(
            "no container engine answers here, and a node without it needs Linux (this is darwin): " +
                "start Docker, Podman or nerdctl for a cluster of kind, or name a cluster that there is: " +
                "make up CONTEXT=name",
        );
        expect(chooseTarget({ ...macos, context: "mine" })).toMatchObject({ kind: "context" });
    });

    test.each(["", undefined])("takes an absent value (%j) as not set", (value) => {
        const absent = value === undefined ? {} : { context: value, asked: value };
        expect(chooseTarget({ ...bare, ...absent })).toMatchObject({ kind: "node" });
    });
});
