import { beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";

const MAIN = path.resolve(import.meta.dirname, "../src/main.ts");
const BORN = "Sun Nov 29 01:37:02 2026";

let folder: string;

beforeEach(async () => {
    folder = makeTemporaryFolder();
    await mkdir(path.join(folder, "bin"));
    await install("kubectl", "echo v1");
    await install("ps", `echo 'S    ${BORN}'`);
    await writeFile(path.join(folder, "state.json"), JSON.stringify({ engines: [], images: [] }));
    for (const name of ["docker", "podman", "nerdctl"]) {
        const cli = path.join(import.meta.dirname, "support/kindCli.mjs");
        await symlink(cli, path.join(folder, "bin", name));
    }
});

async function install(name: string, script: string): Promise<void> {
    const file = path.join(folder, "bin", name);
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
}

/** Runs a command of `make` without /proc and /sys, on what says that it is macOS. */
async function run(...args: string[]) {
    const hide = 'mount -t tmpfs none /sys && mount -t tmpfs none /proc && exec "$0" "$@"';
    const fake = "data:text/javascript,Object.defineProperty(process,'platform',{value:'darwin'})";
    const node = [process.execPath, "--import", fake, MAIN, ...args];
    const isolated = ["--mount", "--propagation", "private", "sh", "-c", hide, ...node];
    return execa("unshare", isolated, {
        reject: false,
        extendEnv: false,
        env: {
            PATH: `${folder}/bin:${path.dirname(process.execPath)}:/usr/bin:/bin`,
            HOME: folder,
            STATE: folder,
        },
    });
}

const state = async () =>
    JSON.parse(await readFile(path.join(folder, "state.json"), "utf8")) as Record<string, unknown>;

/** A sentence, and no stack trace. */
function expectSentence(
    { exitCode, stderr }: { exitCode?: number | undefined; stderr: string },
    words: string,
) {
    expect(stderr).toContain(`Error: ${words}`);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(exitCode).toBe(1);
}

describe("on macOS", () => {
    test("make down with nothing to end", async () => {
        const { exitCode, stdout, stderr } = await run("down");
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
        expect(stdout).toContain("Down: ");
    });

    test("make down removes a kind cluster and the images that were built for it", async () => {
        const node = { status: "exited", images: [] };
        const images = ["localhost/embedding-service:v1", "localhost/other:v1"];
        await writeFile(
            path.join(folder, "state.json"),
            JSON.stringify({ engines: ["podman"], images, node }),
        );
        const { exitCode, stdout } = await run("down");
        expect(stdout).toContain("removed all of its containers, volumes and images; podman keeps");
        expect(exitCode).toBe(0);
        expect(await state()).toEqual({ engines: ["podman"], images: ["localhost/other:v1"] });
    });

    test("make down reports that a kind cluster cannot be removed without its engine", async () => {
        await mkdir(path.join(folder, ".cache/property-search/kind"), { recursive: true });
        expectSentence(
            await run("down"),
            "cannot remove the kind cluster: no container engine responds",
        );
    });

    test("what is here", async () => {
        const { exitCode, stdout } = await run("status");
        expect(stdout).toContain("Cluster: none; make up creates it");
        expect(exitCode).toBe(0);
    });

    test("make up without a container engine prints what to install", async () => {
        expectSentence(await run("up"), "no container engine responds (docker, podman, nerdctl)");
    });

    test("make up CLUSTER=node reports that it requires Linux", async () => {
        const { stderr } = await run("up", "--context", "");
        expect(stderr).toContain("this is darwin");
    });

    test("make up with Docker comes as far as the tools that it lacks", async () => {
        await writeFile(
            path.join(folder, "state.json"),
            JSON.stringify({ engines: ["docker"], images: [] }),
        );
        const result = await run("up");
        expect(result.stdout).toContain("Using a kind cluster: a container engine is available");
        expectSentence(result, "this machine lacks tools:\n  - go is missing");
    });

    test("make up CONTEXT= uses the user's kubeconfig", async () => {
        await mkdir(path.join(folder, ".kube"));
        const config = { contexts: [{ name: "own", context: { cluster: "own", user: "me" } }] };
        await writeFile(path.join(folder, ".kube/config"), JSON.stringify(config));
        expectSentence(
            await run("up", "--context", "other"),
            'CONTEXT is "other", which the kubeconfig does not have; it has: own',
        );
    });

    test("a lock is kept by a process that lives, and taken from any other", async () => {
        const lock = path.join(folder, ".cache/property-search/up.lock");
        await mkdir(path.dirname(lock), { recursive: true });
        const writeLock = async (start: string) => {
            const holder = { command: "another make up or make down", pid: process.pid, start };
            await writeFile(lock, JSON.stringify(holder));
        };
        await writeLock(BORN);
        expectSentence(
            await run("down"),
            `another make up or make down is running (process ${process.pid})`,
        );
        await writeLock("Sat Nov 28 01:37:02 2026");
        const { exitCode } = await run("down");
        expect(exitCode).toBe(0);
        expect(existsSync(lock)).toBe(false);
    });
});
