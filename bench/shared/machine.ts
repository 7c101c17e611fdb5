import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

import { BenchError } from "./benchError.ts";
import { runOrThrow, runToEnd } from "./runToEnd.ts";

/** Where a benchmark ran. */
export interface Machine {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly kernel: string;
    readonly node: string;
}

export function describeMachine(): Machine {
    const all = cpus();
    return {
        processor: all[0]?.model.trim() ?? "unknown",
        cores: all.length,
        memoryGiB: Math.round(totalmem() / 2 ** 30),
        kernel: release(),
        node: process.version,
    };
}

/** The measured server has one core to itself; everything else shares the other. */
export interface Cores {
    readonly server: number;
    readonly generator: number;
}

/** @throws BenchError on a machine with one core, or without Linux's /proc. */
export function chooseCores(): Cores {
    const [server, generator] = allowedCores(readStatus());
    if (server === undefined || generator === undefined) {
        throw new BenchError("Benchmarks need two cores: one for the server, one for its clients");
    }
    return { server, generator };
}

/** @param status text of /proc/self/status; its list of cores reads like `0-3,8`. */
function allowedCores(status: string): number[] {
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

/** @returns the commit of the checkout, with a digest of its uncommitted changes, if any */
export async function commitId(): Promise<string> {
    const options = { cwd: import.meta.dirname };
    const { stdout: head } = await runToEnd("git", ["rev-parse", "--short=12", "HEAD"], options);
    const { stdout: changes } = await runToEnd("git", ["diff", "HEAD"], options);
    if (changes === "") return head || "unknown";
    return `${head}+${createHash("sha256").update(changes).digest("hex").slice(0, 6)}`;
}

/** Pins this process to a core, so that it takes no time from the measured server. */
export async function pinTo(core: number): Promise<void> {
    const pid = String(process.pid);
    await runOrThrow("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), pid]);
}
