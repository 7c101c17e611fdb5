import { expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { actionlint } from "../../local/src/toolchain/actionlint.ts";
import { makeTemporaryFolder } from "../support/temporaryFolder.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** What it says of a checkout's workflows, and of how they use the actions in it. */
async function lint(checkout: string): Promise<unknown> {
    // Installed linters for shell and Python would run too.
    const flags = ["-no-color", "-shellcheck=", "-pyflakes="];
    const linted = promisify(execFile)(await actionlint(), flags, { cwd: checkout });
    return linted.catch((error: unknown) => error);
}

test("actionlint has nothing to say of the workflows", async () => {
    expect(await lint(ROOT)).toEqual({ stdout: "", stderr: "" });
});

test("it would say something of one that is wrong", async () => {
    const checkout = makeTemporaryFolder();
    await mkdir(path.join(checkout, ".git"));
    await cp(path.join(ROOT, ".github"), path.join(checkout, ".github"), { recursive: true });
    const file = path.join(checkout, ".github/workflows/drift.yml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("matrix.stack", "matrix.stak").replace("team:", "taem:"));
    const result = await lint(checkout);
    expect(result).toMatchObject({
        stdout: expect.stringMatching(/property "stak" is not defined/),
    });
    expect(result).toMatchObject({ stdout: expect.stringMatching(/input "taem" is not defined/) });
});
