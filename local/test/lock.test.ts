import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startFrom, startFromPs, takeLock } from "../src/lock.ts";
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
    (await takeLock(file))();
    writeFileSync(file, content);
}

test("a living holder keeps the lock, and the refusal names its process", async () => {
    const giveBack = await takeLock(file);
    await expect(takeLock(file, { patience: 0 })).rejects.toThrow(LocalError);
    await expect(takeLock(file, { patience: 0 })).rejects.toThrow(`process ${process.pid}`);
    giveBack();
});

test("a lock that is given back while somebody waits for it is theirs", async () => {
    const giveBack = await takeLock(file);
    const waiting = takeLock(file, { patience: 10_000 });
    giveBack();
    (await waiting)();
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
    ])("%s", async (_, content) => {
        await leave(content);
        const giveBack = await takeLock(file, { patience: 0 });
        expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid });
        expect(readdirSync(path.dirname(file))).toEqual(["up.lock"]);
        giveBack();
        expect(existsSync(file)).toBe(false);
    });
});

describe("startFrom", () => {
    const stat = (state: string, start: number) =>
        `42 (a (strange) name) ${state} ${Array.from({ length: 18 }, (_, i) => i).join(" ")} ${start} 0`;

    test("is field 22, whatever the process is called", () => {
        expect(startFrom(stat("S", 4711))).toBe("4711");
        const own = "/proc/self/stat";
        if (existsSync(own)) expect(startFrom(readFileSync(own, "utf8"))).toMatch(/^\d+$/);
    });

    test.each(["Z", "X"])("is nothing for one that has ended (%s)", (state) => {
        expect(startFrom(stat(state, 4711))).toBeUndefined();
    });
});

describe("startFromPs", () => {
    test("is the date, whatever the state is", () => {
        const date = "Sun Nov 29 01:37:02 2026";
        expect(startFromPs(`Ss   ${date}    \n`)).toBe(date);
        expect(startFromPs(`R+   Sun Nov  9 01:37:02 2026\n`)).toBe("Sun Nov 9 01:37:02 2026");
    });

    test.each(["", "\n", "Z+   Sun Nov 29 01:37:02 2026\n"])("is nothing for %j", (line) => {
        expect(startFromPs(line)).toBeUndefined();
    });
});
