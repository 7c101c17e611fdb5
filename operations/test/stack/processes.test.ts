import { describe, expect, test } from "@jest/globals";
import { existsSync, readFileSync } from "node:fs";
import {
    isRunning,
    isRunningSince,
    parsePs,
    parseStat,
    processStart,
} from "../../stack/processes.ts";

const { pid } = process;
const FREE = 2 ** 22 + 1;
const MINUTE = 60_000;

test("a process is the recorded one until another has its id", () => {
    expect(isRunning({ pid, start: processStart(pid) })).toBe(true);
    expect(isRunning({ pid, start: processStart(process.ppid) })).toBe(false);
    expect(isRunning({ pid: FREE, start: processStart(pid) })).toBe(false);
});

test("a process with an id ran at a time only if it has begun by then", () => {
    const begun = Date.now() - process.uptime() * 1000;
    expect(isRunningSince(pid, new Date())).toBe(true);
    expect(isRunningSince(pid, new Date(begun))).toBe(true);
    expect(isRunningSince(pid, new Date(begun - 2 * MINUTE))).toBe(false);
    expect(isRunningSince(FREE, new Date())).toBe(false);
});

describe("parseStat", () => {
    const stat = (state: string, start: number) =>
        `42 (a (strange) name) ${state} ${Array.from({ length: 18 }, (_, i) => i).join(" ")} ${start} 0`;

    test("reads field 22, even if the process name contains blanks and brackets", () => {
        expect(parseStat(stat("S", 4711))).toBe("4711");
        const own = "/proc/self/stat";
        if (existsSync(own)) expect(parseStat(readFileSync(own, "utf8"))).toMatch(/^\d+$/);
    });

    test.each(["Z", "X"])("reads nothing for one that has ended (%s)", (state) => {
        expect(parseStat(stat(state, 4711))).toBe("");
    });
});

describe("parsePs", () => {
    test("reads the date of a process that has not ended", () => {
        const date = "Sun Nov 29 01:37:02 2026";
        expect(parsePs(`Ss   ${date}    \n`)).toBe(date);
        expect(parsePs(`R+   Sun Nov  9 01:37:02 2026\n`)).toBe("Sun Nov 9 01:37:02 2026");
    });

    test.each(["", "\n", "Z+   Sun Nov 29 01:37:02 2026\n"])("reads nothing in %j", (line) => {
        expect(parsePs(line)).toBe("");
    });
});
