import path from "node:path";

import { execa } from "execa";

import { BenchError } from "../error.ts";
import { endedChildrenSeconds, groupUsage } from "../processes/usage.ts";
import type { Load, Sample } from "./sample.ts";

const SCRIPT = path.join(import.meta.dirname, "post.lua");
/** What the open requests of the last moment may take. */
const GRACE_MILLISECONDS = 10_000;

/**
 * Closed loop: each connection sends its next request when it has its answer. That shows what a
 * server can do at most; its latencies hold for this number of clients that never pause.
 *
 * @throws BenchError when wrk fails.
 */
export async function closedLoop(load: Load, signal: AbortSignal): Promise<Sample> {
    const serverBefore = groupUsage(load.server).cpuSeconds;
    const generatorBefore = endedChildrenSeconds();
    const result = await execa(
        "taskset",
        [
            ...["-c", String(load.core), "wrk", "--threads", "1", "--timeout", "10s"],
            ...["--connections", String(load.connections), "--duration", `${load.seconds}s`],
            ...["--script", SCRIPT, load.url.href, "--", load.bodiesFile],
            ...Object.entries(load.headers).map(([name, value]) => `${name}: ${value}`),
        ],
        {
            reject: false,
            cancelSignal: signal,
            timeout: load.seconds * 1000 + GRACE_MILLISECONDS,
        },
    );
    signal.throwIfAborted();
    if (result.exitCode !== 0) {
        throw new BenchError(`wrk failed:\n${result.stderr}\n${result.stdout}`);
    }
    const generatorSeconds = endedChildrenSeconds() - generatorBefore;
    const serverSeconds = groupUsage(load.server).cpuSeconds - serverBefore;
    const measured = parseWrk(result.stdout);
    return {
        ...measured.sample,
        serverCore: serverSeconds / measured.seconds,
        generatorCore: generatorSeconds / measured.seconds,
    };
}

interface Measured {
    readonly seconds: number;
    readonly sample: Omit<Sample, "serverCore" | "generatorCore">;
}

/** Reads the line of JSON that post.lua writes. @throws BenchError */
export function parseWrk(output: string): Measured {
    const line = output.split("\n").find((one) => one.startsWith("{"));
    if (line === undefined) throw new BenchError(`wrk printed no result:\n${output}`);
    const told = JSON.parse(line) as Record<
        | "requests"
        | "microseconds"
        | "bytes"
        | "refused"
        | "broken"
        | "p50"
        | "p90"
        | "p99"
        | "p999"
        | "max",
        number
    >;
    const seconds = told.microseconds / 1e6;
    const milliseconds = (microseconds: number): number => microseconds / 1000;
    return {
        seconds,
        sample: {
            rate: (told.requests - told.refused) / seconds,
            bytesPerSecond: told.bytes / seconds,
            failed: told.refused + told.broken,
            latency: {
                p50: milliseconds(told.p50),
                p90: milliseconds(told.p90),
                p99: milliseconds(told.p99),
                p999: milliseconds(told.p999),
                max: milliseconds(told.max),
            },
        },
    };
}
