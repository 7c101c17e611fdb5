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
])("%s that is empty is not the working folder", (variable, read, otherwise) => {
    process.env[variable] = "/elsewhere";
    expect(read()).toBe("/elsewhere");
    process.env[variable] = "";
    expect(read()).toBe(path.join(homedir(), otherwise));
    Reflect.deleteProperty(process.env, variable);
    expect(read()).toBe(path.join(homedir(), otherwise));
});

test("nothing else reads the variables in a way of its own", () => {
    const root = path.resolve(import.meta.dirname, "../..");
    const files = globSync("{app,bench,config,insights,local,operations,examples}/**/*.ts", {
        cwd: root,
        exclude: ["**/node_modules", "**/test"],
    });
    expect(files.length).toBeGreaterThan(100);
    const readers = files.filter((file) =>
        readFileSync(path.join(root, file), "utf8").includes("env.XDG_"),
    );
    expect(readers).toEqual([]);
});
