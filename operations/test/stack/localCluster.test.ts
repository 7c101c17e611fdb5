import { beforeEach, describe, expect, test } from "@jest/globals";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { KIND_KUBECONFIG } from "../../../local/src/kind/cluster.ts";
import { KUBECONFIG } from "../../../local/src/node/start.ts";
import { CACHE } from "../../../local/src/paths.ts";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { chooseKubeconfig, localKubeconfig } from "../../stack/localCluster.ts";

const FILES = [KUBECONFIG, KIND_KUBECONFIG].map((file) => path.relative(CACHE, file));
let cache: string;

beforeEach(() => {
    cache = makeTemporaryFolder();
    process.env.XDG_CACHE_HOME = cache;
    delete process.env.KUBECONFIG;
});

async function makeUp(file: string): Promise<string> {
    const target = path.join(cache, "property-search", file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, "apiVersion: v1\n");
    return target;
}

test("without a cluster of make up, the user's kubeconfig is used", () => {
    expect(localKubeconfig()).toBeUndefined();
    expect(chooseKubeconfig({ stack: "local" })).toBeUndefined();
});

test("of two clusters, kind's takes precedence", async () => {
    const targets = await Promise.all(FILES.map(makeUp));
    expect(localKubeconfig()).toBe(targets[FILES.findIndex((file) => file.startsWith("kind/"))]);
});

describe.each(FILES)("after make up (%s)", (file) => {
    test("the stack `local`, and no stack, use its cluster", async () => {
        const target = await makeUp(file);
        expect(chooseKubeconfig({ stack: "local" })).toBe(target);
        expect(chooseKubeconfig({})).toBe(target);
        process.env.KUBECONFIG = "";
        expect(chooseKubeconfig({ stack: undefined, context: "" })).toBe(target);
    });

    test("another stack or a named cluster does not", async () => {
        await makeUp(file);
        expect(chooseKubeconfig({ stack: "prod" })).toBeUndefined();
        expect(chooseKubeconfig({ context: "staging" })).toBeUndefined();
        expect(chooseKubeconfig({ stack: "local", kubeconfig: "/own" })).toBe("/own");
        process.env.KUBECONFIG = "/own";
        expect(chooseKubeconfig({ stack: "local" })).toBeUndefined();
    });
});
