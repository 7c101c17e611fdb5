import { expect, test } from "@jest/globals";
import { removeClusters } from "../src/down.ts";

interface Machine {
    readonly another?: string;
    readonly kind?: string;
}

/** What is ended on such a machine, in order, and what is said. */
async function ended({ another, kind }: Machine): Promise<readonly unknown[]> {
    const log: unknown[] = [];
    const removal = removeClusters({
        nodeOfAnother: () => Promise.resolve(another),
        removeNode: () => {
            log.push("node");
            return another === undefined
                ? Promise.resolve()
                : Promise.reject(new Error(`a node of another cache: ${another}`));
        },
        removeKind: () => {
            log.push("kind");
            return Promise.resolve(kind);
        },
    });
    const words = await removal.catch((error: unknown) => (error as Error).message);
    return [...log, words];
}

test("a kind cluster is removed, and a node of another cache is kept", async () => {
    expect(await ended({ another: "/other/node-state", kind: "Down" })).toEqual(["kind", "Down"]);
});

test("a node of another cache alone is rejected by name", async () => {
    const words = "a node of another cache: /other/node-state";
    expect(await ended({ another: "/other/node-state" })).toEqual(["kind", "node", words]);
});

test.each([[{}], [{ kind: "Down" }]])(
    "a node of this cache is ended first, with %j",
    async (machine) => {
        expect(await ended(machine)).toEqual(["node", "kind", (machine as Machine).kind]);
    },
);
