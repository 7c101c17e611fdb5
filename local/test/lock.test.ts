import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseStat, parsePs, acquireLock } from "../src/lock.ts";
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
async function leave(content: string): Promise<void> {
    (await acquireLock(file))();
    writeFileSync(file, content);
}

test("a living holder keeps the lock, and the refusal names its process", async () => {
    const giveBack = await acquireLock(file);
    await expect(acquireLock(file, { waitMilliseconds: 0 })).rejects.toThrow(LocalError);
    await expect(acquireLock(file, { waitMilliseconds: 0 })).rejects.toThrow(
        `process ${process.pid}`,
    );
    giveBack();
});

test("a released lock goes to a waiting process", async () => {
    const giveBack = await acquireLock(file);
    const waiting = acquireLock(file, { waitMilliseconds: 10_000 });
    giveBack();
    (await waiting)();
    expect(readdirSync(path.dirname(file))).toEqual([]);
});

describe("a dead holder's lock is taken over", () => {
    test.each([
        ["whose process has ended", JSON.stringify({ pid: 2 ** 30, started: "1" })],
        [
            "whose number is another process's now",
            JSON.stringify({ pid: process.pid, started: "1" }),
        ],
        ["that was written by half", `{"pid": 1`],
        ["that is empty", ""],
        ["that holds something else", `["a lock"]`],
    ])("%s", async (_, content) => {
        await leave(content);
        const giveBack = await acquireLock(file, { waitMilliseconds: 0 });
        expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid });
        expect(readdirSync(path.dirname(file))).toEqual(["up.lock"]);
        giveBack();
        expect(existsSync(file)).toBe(false);
    });
});

describe("startFrom", () => {
    const stat = (state: string, start: number) =>
        `42 (a (strange) name) ${state} ${Array.from({ length: 18 }, (_, i) => i).join(" ")} ${start} 0`;

    test("is field 22, even if the process name contains blanks and brackets", () => {
        expect(parseStat(stat("S", 4711))).toBe("4711");
        const own = "/proc/self/stat";
        if (existsSync(own)) expect(parseStat(readFileSync(own, "utf8"))).toMatch(/^\d+$/);
    });

    test.each(["Z", "X"])("is nothing for one that has ended (%s)", (state) => {
        expect(parseStat(stat(state, 4711))).toBeUndefined();
    });
});

describe("startFromPs", () => {
    test("is the date of a process that has not ended", () => {
        const date = "Sun Nov 29 01:37:02 2026";
        expect(parsePs(`Ss   ${date}    \n`)).toBe(date);
        expect(parsePs(`R+   Sun Nov  9 01:37:02 2026\n`)).toBe("Sun Nov 9 01:37:02 2026");
    });

    test.each(["", "\n", "Z+   Sun Nov 29 01:37:02 2026\n"])("is nothing for %j", (line) => {
        expect(parsePs(line)).toBeUndefined();
    });
});
