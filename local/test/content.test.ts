import { beforeEach, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeTemporaryFolder } from "../../tests/support/temporaryFolder.ts";
import { digest, digestFiles, once } from "../src/content.ts";

let folder: string;

beforeEach(() => {
    folder = makeTemporaryFolder();
});

const write = (name: string, text: string) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
};

test("a digest distinguishes lists that join to the same text", () => {
    expect(digest("ab", "c")).not.toBe(digest("a", "bc"));
    expect(digest("a", "")).not.toBe(digest("a"));
    expect(digest("a", "b")).toBe(digest("a", "b"));
});

test("a digest of files changes with a content and with a name, and not with installed packages", async () => {
    write("src/a.ts", "one");
    const before = await digestFiles([folder]);
    write("node_modules/x/index.js", "anything");
    expect(await digestFiles([folder])).toBe(before);
    write("src/a.ts", "two");
    const changed = await digestFiles([folder]);
    expect(changed).not.toBe(before);
    write("src/a.ts", "one");
    write("src/b.ts", "");
    expect(await digestFiles([folder])).not.toBe(before);
});

test("a folder is made once", async () => {
    const made = path.join(folder, "made");
    let calls = 0;
    const make = async (temporary: string) => {
        calls += 1;
        writeFileSync(path.join(temporary, "file"), "whole");
        return Promise.resolve();
    };
    expect(await once(made, make)).toBe(true);
    expect(await once(made, make)).toBe(false);
    expect(calls).toBe(1);
});

test("an interrupted making leaves no folder, and the next one starts from an empty one", async () => {
    const made = path.join(folder, "made");
    const interrupted = once(made, (temporary) => {
        writeFileSync(path.join(temporary, "half"), "");
        return Promise.reject(new Error("interrupted"));
    });
    await expect(interrupted).rejects.toThrow("interrupted");
    expect(existsSync(made)).toBe(false);
    await once(made, (temporary) => {
        writeFileSync(path.join(temporary, "whole"), "");
        return Promise.resolve();
    });
    expect(readdirSync(made)).toEqual(["whole"]);
});

test("a digest of files is the same in another checkout", async () => {
    write("one/src/a.ts", "text");
    write("two/src/a.ts", "text");
    const digestOf = (checkout: string) => digestFiles([path.join(folder, checkout, "src")]);
    expect(await digestOf("one")).toBe(await digestOf("two"));
});

test("a digest of files leaves out the folders that do not count, and no file of such a name", async () => {
    write("src/a.ts", "one");
    const digestOf = () => digestFiles([folder], ["test"]);
    const before = await digestOf();
    write("test/a.test.ts", "anything");
    symlinkSync(path.join(folder, "test"), path.join(folder, "src/test"));
    expect(await digestOf()).toBe(before);
    rmSync(path.join(folder, "src/test"));
    write("src/test", "a file");
    expect(await digestOf()).not.toBe(before);
});

test("a folder that several make at the same time is made by one, for which the others wait", async () => {
    const made = path.join(folder, "made");
    let calls = 0;
    const make = async (temporary: string) => {
        calls += 1;
        await delay(50);
        writeFileSync(path.join(temporary, "file"), "whole");
    };
    const all = await Promise.all(Array.from({ length: 3 }, () => once(made, make)));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect(calls).toBe(1);
    expect(readdirSync(folder)).toEqual(["made"]);
});

test("a folder whose making failed is made by the next one", async () => {
    const made = path.join(folder, "made");
    await expect(once(made, () => Promise.reject(new Error("no disk")))).rejects.toThrow("no disk");
    expect(await once(made, () => Promise.resolve())).toBe(true);
});
