import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pulumiPreview } from "../src/pulumi/preview.ts";
import { pulumiUp } from "../src/pulumi/up.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PACK = `--policy-pack ${ROOT}/policies --policy-pack-config ${ROOT}/policies/stacks/dev.json`;
const before = process.env.PATH;

let folder: string;

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "policies-"));
    await mkdir(path.join(folder, "bin"));
    process.env.PATH = path.join(folder, "bin");
});

afterEach(async () => {
    process.env.PATH = before;
    await rm(folder, { recursive: true });
});

/** A program that is on PATH, alone there. */
async function install(name: string, script = ""): Promise<void> {
    const file = path.join(folder, "bin", name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
}

/** A CLI that writes down what it is asked, and knows no login and no config. */
async function installPulumi(preview = "exit 0"): Promise<void> {
    await install("pulumi-language-nodejs");
    await install("pulumi-resource-kubernetes");
    const script = `echo "$*" >> '${folder}/asked'
case "$*" in
    preview*) ${preview} ;;
    whoami*|"config get"*) exit 1 ;;
    "stack export"*) echo '{}' ;;
esac`;
    await install("pulumi", script);
}

const asked = async (command: string) =>
    (await readFile(path.join(folder, "asked"), "utf8"))
        .split("\n")
        .filter((line) => line.startsWith(`${command} `));

test("a preview asks the policy pack, with what the stack sets of it", async () => {
    await installPulumi();
    await pulumiPreview({ stack: "dev" });
    await pulumiPreview({ stack: "dev", drift: true });
    expect(await asked("preview")).toEqual([
        `preview --stack dev --diff ${PACK}`,
        `preview --stack dev --diff --refresh --expect-no-changes ${PACK}`,
    ]);
    expect(existsSync(PACK.split(" ")[3] ?? "")).toBe(true);
});

test("a preview that fails says so in a sentence", async () => {
    await installPulumi("exit 255");
    await expect(pulumiPreview({ stack: "dev" })).rejects.toThrow(
        "pulumi preview of dev failed with exit code 255; its own words stand above",
    );
    await expect(pulumiPreview({ stack: "dev", drift: true })).rejects.toThrow(
        "pulumi preview of dev found changes, or failed with exit code 255",
    );
});

test.each([
    [[], "the Pulumi CLI is not on PATH"],
    [["pulumi"], "Pulumi's nodejs language host is not on PATH"],
    [["pulumi", "pulumi-language-nodejs"], "Pulumi's Kubernetes plugin"],
])("a preview with %j says what is missing, and what can be had without", async (names, what) => {
    for (const name of names) await install(name, "echo '[]'");
    await expect(pulumiPreview({ stack: "prod" })).rejects.toThrow(
        new RegExp(`a preview needs Pulumi, but ${what}.*make policies STACK=prod`),
    );
});

test("an update asks the policy pack, too", async () => {
    await installPulumi();
    await pulumiUp({
        stack: "dev",
        kubeconfig: "",
        config: {},
        stateFolder: path.join(folder, "state"),
        knownSecrets: {},
        exists: () => Promise.resolve(false),
        isSwitching: () => Promise.resolve(false),
        report: () => undefined,
    });
    expect(await asked("up")).toEqual([expect.stringContaining(PACK)]);
});
