import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

import { BenchError } from "../shared/benchError.ts";
import { buildGo } from "../shared/goProgram.ts";
import type { Quantiles } from "../shared/quantiles.ts";

/** What one route answered; times from when the requests were due, unless said otherwise. */
export interface RouteSummary {
    readonly answered: number;
    /** Requests without a whole 2xx answer. */
    readonly failed: number;
    readonly bytes: number;
    /** Failed requests, by reason. */
    readonly failures: Readonly<Record<string, number>>;
    /** Answers by each status in x-cache. */
    readonly cache: Readonly<Record<string, number>>;
    /** Answers by colour. */
    readonly servedBy: Readonly<Record<string, number>>;
    readonly latency: Quantiles;
    /** From sent to answered, as a closed loop reports it. */
    readonly service: Quantiles;
    /** Answers whose texts were all hits, and their latency. */
    readonly hits: number;
    readonly cached: Quantiles;
    /** Pairs of a share (0–1) and the latency that it does not exceed. */
    readonly curve: readonly (readonly [share: number, milliseconds: number])[];
}

export interface Summary {
    readonly interrupted: boolean;
    readonly seconds: number;
    readonly sent: number;
    /** Most users that had a connection at the same time. */
    readonly peakUsers: number;
    /** Most requests in progress at the same time. */
    readonly peakOpen: number;
    /** Connections that the server had closed while they were idle. */
    readonly reconnects: number;
    /** Delay of the generator itself: from due to sent, of users that were free. */
    readonly lag: Quantiles;
    /** Processor time of the generator. */
    readonly cpuSeconds: number;
    readonly routes: Readonly<Record<string, RouteSummary>>;
}

/** What ended in one second. */
export interface Second {
    readonly second: number;
    readonly sent: number;
    /** Requests in progress at its end. */
    readonly open: number;
    /** Longest lag of the generator, in milliseconds. */
    readonly maxLag: number;
    readonly routes: Readonly<
        Record<
            string,
            Pick<Quantiles, "p50" | "p99" | "max"> & { answered: number; failed: number }
        >
    >;
}

export interface GeneratorOptions {
    /** http://host:port */
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly traceFile: string;
    /** Time after the last due request in which late ones are still sent. Default: 30 s */
    readonly graceSeconds?: number;
    readonly onSecond: (second: Second) => void;
    /** Ends the run; what was measured until then is returned. */
    readonly signal: AbortSignal;
}

export interface Measurement {
    readonly summary: Summary;
    readonly seconds: readonly Second[];
}

const SOURCE = path.join(import.meta.dirname, "generator");

/**
 * Replays a trace; generator/main.go describes the measurement.
 *
 * @throws BenchError if Go is missing or the generator fails
 */
export async function replay(options: GeneratorOptions): Promise<Measurement> {
    const { target, headers, traceFile, onSecond, signal, graceSeconds = 30 } = options;
    const program = await buildGo("load-generator", SOURCE);
    const args = [...["-target", target, "-trace", traceFile, "-grace", `${graceSeconds}s`]];
    // In a process group of its own: Ctrl-C reaches it once, by the signal below.
    const child = spawn(program, args, {
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
        // They contain an API key, and every user of the machine may read arguments.
        env: { ...process.env, LOAD_HEADERS: formatHeaders(headers) },
    });
    preferOverPlatform(child.pid);
    const stop = () => child.kill("SIGINT");
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const onExit = () => child.kill("SIGKILL");
    process.once("exit", onExit);
    const seconds: Second[] = [];
    let summary: Summary | undefined;
    try {
        const errors = text(child.stderr);
        const closed = once(child, "close");
        for await (const line of createInterface({ input: child.stdout })) {
            const read = JSON.parse(line) as { second?: Second; summary?: Summary };
            if (read.second) {
                seconds.push(read.second);
                onSecond(read.second);
            }
            summary = read.summary ?? summary;
        }
        await closed;
        if (summary) return { summary, seconds };
        throw new BenchError(`the load generator failed: ${await errors}`);
    } finally {
        signal.removeEventListener("abort", stop);
        process.removeListener("exit", onExit);
    }
}

function formatHeaders(headers: Readonly<Record<string, string>>): string {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return lines.join("\n");
}

/** On a machine that also runs the platform, a generator that waits for a core would measure itself. */
function preferOverPlatform(pid: number | undefined): void {
    try {
        if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_HIGH);
    } catch {
        // Only root may; the lag then shows whether it matters.
    }
}
