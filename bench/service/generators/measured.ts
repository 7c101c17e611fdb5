import { BenchError } from "../../shared/error.ts";
import { runToEnd } from "../../shared/runToEnd.ts";
import { endedChildrenSeconds, groupCpuSeconds } from "../processes/usage.ts";
import type { Load, Sample } from "./sample.ts";

/** What the open requests of the last moment may take. */
const GRACE_MILLISECONDS = 40_000;

/**
 * Runs a generator on its core, and measures what it and the server have used meanwhile.
 *
 * @throws BenchError with what it printed, when it fails.
 */
export async function measured(
    generator: string,
    args: readonly string[],
    { core, server, seconds }: Load,
    signal: AbortSignal,
): Promise<Sample> {
    const serverBefore = groupCpuSeconds(server);
    const generatorBefore = endedChildrenSeconds();
    const { status, stdout, stderr } = await runToEnd(
        "taskset",
        ["-c", String(core), generator, ...args],
        { signal, timeout: seconds * 1000 + GRACE_MILLISECONDS },
    );
    signal.throwIfAborted();
    if (status !== 0) throw new BenchError(`${generator} failed:\n${stderr}\n${stdout}`);
    const generatorSeconds = endedChildrenSeconds() - generatorBefore;
    const serverSeconds = groupCpuSeconds(server) - serverBefore;
    const { sample, elapsed } = parseSample(stdout);
    return {
        ...sample,
        serverCore: serverSeconds / elapsed,
        generatorCore: generatorSeconds / elapsed,
    };
}

export function headerLines({ headers }: Pick<Load, "headers">): string[] {
    return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

interface Parsed {
    /** Seconds. */
    readonly elapsed: number;
    readonly sample: Omit<Sample, "serverCore" | "generatorCore">;
}

/** The line that each generator ends with; times in microseconds. */
interface Line {
    readonly requests: number;
    readonly microseconds: number;
    readonly bytes: number;
    readonly p50: number;
    readonly p90: number;
    readonly p95: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
    readonly refused: number;
    readonly broken: number;
    readonly late?: number;
}

/** Reads the generator's line of JSON among what else it printed. @throws BenchError */
export function parseSample(output: string): Parsed {
    const line = output.split("\n").find((one) => one.startsWith("{"));
    if (line === undefined) throw new BenchError(`the generator printed no result:\n${output}`);
    const told = JSON.parse(line) as Line;
    const elapsed = told.microseconds / 1e6;
    return {
        elapsed,
        sample: {
            rate: (told.requests - told.refused) / elapsed,
            bytesPerSecond: told.bytes / elapsed,
            failed: told.refused + told.broken,
            latency: {
                p50: told.p50 / 1000,
                p90: told.p90 / 1000,
                p95: told.p95 / 1000,
                p99: told.p99 / 1000,
                p999: told.p999 / 1000,
                max: told.max / 1000,
            },
            ...(told.late === undefined ? {} : { late: told.late / 1000 }),
        },
    };
}
