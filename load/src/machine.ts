import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

import { execa } from "execa";

import { BenchError } from "./error.ts";

/** Where a benchmark ran. */
export interface Machine {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly kernel: string;
    readonly node: string;
}

export function machine(): Machine {
    const all = cpus();
    return {
        processor: all[0]?.model.trim() ?? "unknown",
        cores: all.length,
        memoryGiB: Math.round(totalmem() / 2 ** 30),
        kernel: release(),
        node: process.version,
    };
}

/** Cores by role: what is measured has one to itself, and all else shares the other. */
export interface Cores {
    readonly server: number;
    readonly generator: number;
}

/** @throws BenchError on a machine with one core, or without Linux's /proc. */
export function cores(): Cores {
    const [server, generator] = allowedCores(readStatus());
    if (server === undefined || generator === undefined) {
        throw new BenchError("Benchmarks need two cores: one for the server, one for its clients");
    }
    return { server, generator };
}

/** @param status text of /proc/self/status; its list of cores reads like `0-3,8`. */
export function allowedCores(status: string): number[] {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "";
    return list.split(",").flatMap((range) => {
        const [first = NaN, last = first] = range.split("-").map(Number);
        return Array.from({ length: last - first + 1 }, (_, at) => first + at);
    });
}

function readStatus(): string {
    try {
        return readFileSync("/proc/self/status", "utf8");
    } catch (error) {
        throw new BenchError("Benchmarks run on Linux only: they read /proc and pin processes", {
            cause: error,
        });
    }
}

/** @returns the checkout's commit, with a + when files differ from it. */
export async function commit(): Promise<string> {
    const options = { cwd: import.meta.dirname, reject: false } as const;
    const { stdout } = await execa("git", ["rev-parse", "--short=12", "HEAD"], options);
    const { stdout: changed } = await execa("git", ["status", "--porcelain", "-uno"], options);
    return `${stdout || "unknown"}${changed === "" ? "" : "+"}`;
}
