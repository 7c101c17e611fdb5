import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { NODE_VERSION } from "../../local/src/images/nodeRuntime.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(ROOT, file), "utf8");
const PINNED = read(".node-version").trim();
const [MAJOR, MINOR] = PINNED.split(".").map(Number) as [number, number];

test(".node-version names one version", () => {
    expect(read(".node-version")).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("the Makefile, the node's image and GitHub's set-up read it", () => {
    expect(read("Makefile")).toContain("NODE_VERSION := $(shell cat .node-version)\n");
    expect(NODE_VERSION).toBe(PINNED);
    expect(read(".github/actions/node/action.yml")).toContain("node-version-file: .node-version\n");
});

test.each(
    ["app", "insights", "examples/property-search", ".devcontainer"].map(
        (folder) => `${folder}/Dockerfile`,
    ),
)("%s is built on it", (file) => {
    const versions = [...read(file).matchAll(/\bnode:(\d[\d.]*)-/g)].map(([, version]) => version);
    expect(versions).toEqual([PINNED]);
});

test("it is no older than what package.json asks for, and as new as the types", () => {
    const { engines, devDependencies } = JSON.parse(read("package.json")) as {
        engines: { node: string };
        devDependencies: Readonly<Record<string, string>>;
    };
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
    expect([Number(major), Number(minor)]).toEqual([MAJOR, expect.any(Number)]);
    expect(MINOR).toBeGreaterThanOrEqual(Number(minor));
    expect(devDependencies["@types/node"]).toMatch(new RegExp(`^${MAJOR}\\.`));
});
