import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { rmSync } from "node:fs";
import { logFile } from "../src/shell.ts";
import { runTasks, steps } from "../src/tasks.ts";

const LOG = `test-${process.pid}`;

let printed: string[] = [];

beforeEach(() => {
    printed = [];
    for (const stream of [process.stdout, process.stderr]) {
        jest.spyOn(stream, "write").mockImplementation((text) => {
            printed.push(String(text));
            return true;
        });
    }
});
afterEach(() => {
    jest.restoreAllMocks();
    rmSync(logFile(LOG), { force: true });
});

const step = steps<object>(new AbortController().signal);

test("a step that fails ends the list with its own error, of which the list shows the first line", async () => {
    const failure = new Error("building x failed\n  | the last lines of its log");
    let reached = false;
    const tasks = [
        step("Build", LOG, () => Promise.reject(failure)),
        step("Next", LOG, () => {
            reached = true;
            return Promise.resolve();
        }),
    ];
    await expect(runTasks({}, tasks)).rejects.toBe(failure);
    expect(reached).toBe(false);
    expect(printed.join("")).toContain("building x failed");
    expect(printed.join("")).not.toContain("the last lines of its log");
});
