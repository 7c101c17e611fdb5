import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** What no command can do without. */
const PACKAGES = ["commander", "@property-search/contract"] as const;

let folder: string;

/** The program, where the packages of the page are missing. */
beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "commands-"));
    await cp(path.join(ROOT, "insights/src"), path.join(folder, "src"), { recursive: true });
    await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
    await mkdir(path.join(folder, "node_modules/@property-search"), { recursive: true });
    for (const name of PACKAGES)
        await symlink(
            path.join(ROOT, "node_modules", name),
            path.join(folder, "node_modules", name),
        );
    await writeFile(path.join(folder, "token"), "a-token-of-many-characters");
});
afterAll(() => rm(folder, { recursive: true }));

/** @returns the error of a command whose servers do not answer */
function errorOf(...args: readonly string[]): Promise<string> {
    const main = path.join(folder, "src/main.ts");
    const all = [main, ...args, "--prometheus", "http://127.0.0.1:1"];
    return new Promise((resolve) => {
        execFile(process.execPath, all, { cwd: folder }, (_, __, stderr) => {
            resolve(stderr);
        });
    });
}

test("analyse and tune do not need the packages of the page", async () => {
    expect(await errorOf("analyse", "--out", "token")).toContain("--out token is not a folder");
    const tune = ["tune", "--admin", "http://127.0.0.1:1", "--admin-token-file", "token"];
    expect(await errorOf(...tune, "--record", "record.json")).toContain(
        "the admin port at 127.0.0.1:1 does not answer",
    );
});

test("serve needs them", async () => {
    const error = await errorOf("serve", "--folder", "data", "--access-token-file", "token");
    expect(error).toContain("uplot");
});
