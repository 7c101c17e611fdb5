import { BenchError } from "../../shared/benchError.ts";
import { runToEnd } from "../../shared/runToEnd.ts";
import { endedChildrenSeconds, groupCpuSeconds } from "../processes/usage.ts";
import type { Load, Sample } from "./sample.ts";
import type { Quantiles } from "../../shared/quantiles.ts";

/** Time for requests that are still open at the end. */
const GRACE_MILLISECONDS = 40_000;

/**
 * Runs a generator on its core and measures the processor time that it and the server use.
 *
 * @throws BenchError with its output if it fails
 */
export async function measure(
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

/** The last line of each generator's output; times in microseconds. */
interface Line extends Quantiles {
    readonly requests: number;
    readonly microseconds: number;
    readonly bytes: number;
    readonly rejected: number;
    readonly unanswered: number;
    readonly late?: number;
}

/** Finds the line of JSON in a generator's output. @throws BenchError */
export function parseSample(output: string): Parsed {
    const resultLine = output.split("\n").find((one) => one.startsWith("{"));
    if (resultLine === undefined)
        throw new BenchError(`the generator printed no result:\n${output}`);
    const line = JSON.parse(resultLine) as Line;
    const elapsed = line.microseconds / 1e6;
    return {
        elapsed,
        sample: {
            rate: (line.requests - line.rejected) / elapsed,
            bytesPerSecond: line.bytes / elapsed,
            failed: line.rejected + line.unanswered,
            latency: {
                p50: line.p50 / 1000,
                p90: line.p90 / 1000,
                p95: line.p95 / 1000,
                p99: line.p99 / 1000,
                p999: line.p999 / 1000,
                max: line.max / 1000,
            },
            ...(line.late === undefined ? {} : { late: line.late / 1000 }),
        },
    };
}
