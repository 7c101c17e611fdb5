import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { takeLock } from "../src/lock.ts";
import { LocalError } from "../src/shell.ts";

let folder: string;
let file: string;

beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "lock-"));
    file = path.join(folder, "below", "up.lock");
});
afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
});

/** What a process killed a while ago has left: its number is free, or another process's by now. */
function leave(content: string): void {
    takeLock(file)();
    writeFileSync(file, content);
}

test("a living holder keeps the lock, and the refusal names its process", () => {
    const giveBack = takeLock(file);
    expect(() => takeLock(file)).toThrow(LocalError);
    expect(() => takeLock(file)).toThrow(`process ${process.pid}`);
    giveBack();
});

test("a lock given back can be taken again and leaves no file", () => {
    takeLock(file)();
    takeLock(file)();
    expect(readdirSync(path.dirname(file))).toEqual([]);
});

describe("a dead holder's lock is taken over", () => {
    test.each([
        ["whose process is gone", JSON.stringify({ pid: 2 ** 30, started: "1" })],
        [
            "whose number is another process's now",
            JSON.stringify({ pid: process.pid, started: "1" }),
        ],
        ["that was written by half", `{"pid": 1`],
        ["that is empty", ""],
        ["that holds something else", `["a lock"]`],
    ])("%s", (_, content) => {
        leave(content);
        const giveBack = takeLock(file);
        expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid });
        expect(readdirSync(path.dirname(file))).toEqual(["up.lock"]);
        giveBack();
        expect(existsSync(file)).toBe(false);
    });
});
