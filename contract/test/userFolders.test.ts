import { afterEach, expect, test } from "@jest/globals";
import { globSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { userCacheFolder, userStateBase } from "../src/index.ts";

const before = { ...process.env };
afterEach(() => {
    process.env = { ...before };
});

test.each([
    ["XDG_CACHE_HOME", userCacheFolder, ".cache"],
    ["XDG_STATE_HOME", userStateBase, ".local/state"],
])("%s that is empty, relative or absent is ignored", (variable, read, otherwise) => {
    process.env[variable] = "/elsewhere";
    expect(read()).toBe("/elsewhere");
    for (const ignored of ["", "cache", "./cache", undefined]) {
        if (ignored === undefined) Reflect.deleteProperty(process.env, variable);
        else process.env[variable] = ignored;
        expect(read()).toBe(path.join(homedir(), otherwise));
    }
});

test("nothing else reads the variables in a way of its own", () => {
    const root = path.resolve(import.meta.dirname, "../..");
    const files = globSync("{app,bench,config,insights,local,operations,examples}/**/*.{ts,sh}", {
        cwd: root,
        exclude: ["**/node_modules", "**/test/**/*.ts"],
    });
    expect(files.length).toBeGreaterThan(100);
    const text = (file: string) => readFileSync(path.join(root, file), "utf8");
    expect(files.filter((file) => text(file).includes("env.XDG_"))).toEqual([]);
    // Shell scripts, which cannot import, ignore a relative path by one and the same line.
    const line = "case ${XDG_CACHE_HOME-} in /*) ;; *) XDG_CACHE_HOME=$HOME/.cache ;; esac\n";
    const scripts = files.filter((file) => file.endsWith(".sh") && text(file).includes("XDG_"));
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.filter((file) => !text(file).includes(line))).toEqual([]);
});
