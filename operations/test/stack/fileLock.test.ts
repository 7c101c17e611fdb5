import { beforeEach, describe, expect, test } from "@jest/globals";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { acquireFileLock } from "../../stack/fileLock.ts";

let folder: string;
let file: string;

beforeEach(() => {
    folder = makeTemporaryFolder();
    file = path.join(folder, "below", "up.lock");
});

const acquire = (options = {}) => acquireFileLock(file, "make up", options);

/** Leaves what a killed process has written, whose id is free or another process's by now. */
async function leave(content: string): Promise<void> {
    await (
        await acquire()
    )();
    writeFileSync(file, content);
}

test("a running holder keeps the lock, and the error names its command, process and file", async () => {
    const release = await acquire();
    await expect(acquire({ where: " here" })).rejects.toThrow(
        `make up is running here (process ${process.pid}); wait until it ends. ` +
            `If process ${process.pid} is something else, delete ${file}`,
    );
    await release();
});

test("a released lock goes to a waiting process", async () => {
    const release = await acquire();
    const waiting = acquire({ waitMilliseconds: 10_000 });
    await release();
    await (
        await waiting
    )();
    expect(readdirSync(path.dirname(file))).toEqual([]);
});

describe("a dead holder's lock is taken over", () => {
    test.each([
        ["whose process has ended", JSON.stringify({ pid: 2 ** 30, start: "1" })],
        ["whose number is another process's now", JSON.stringify({ pid: process.pid, start: "1" })],
        ["that was written by half", `{"pid": 1`],
        ["that is empty", ""],
        ["that holds something else", `["a lock"]`],
    ])("%s", async (_, content) => {
        await leave(content);
        const release = await acquire();
        expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid });
        expect(readdirSync(path.dirname(file))).toEqual(["up.lock"]);
        await release();
        expect(existsSync(file)).toBe(false);
    });
});
