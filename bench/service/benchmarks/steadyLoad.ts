import { openLoop } from "../generators/openLoop.ts";
import type { Load, Sample } from "../generators/sample.ts";
import type { Target } from "../peers/peer.ts";
import { residentBytes } from "../processes/usage.ts";
import type { BenchmarkContext } from "./benchmark.ts";

const MIB = 2 ** 20;

export interface SteadyLoad extends Pick<Load, "bodiesFile" | "connections" | "seconds"> {
    /** Shown as progress. */
    readonly name: string;
    /** Requests per second. */
    readonly rate: number;
}

export interface SteadySample extends Sample {
    /** Resident memory of the service in MiB, one value per second. */
    readonly residentMib: readonly number[];
}

/** Sends an open loop of requests to the service and records its memory. */
export async function steadyLoad(
    { cores, signal, showProgress }: Pick<BenchmarkContext, "cores" | "signal" | "showProgress">,
    { url, headers, pid }: Pick<Target, "url" | "headers" | "pid">,
    { name, rate, ...load }: SteadyLoad,
): Promise<SteadySample> {
    const begun = Date.now();
    const residentMib: number[] = [];
    const timer = setInterval(() => {
        const now = residentBytes(pid) / MIB;
        residentMib.push(now);
        const passed = (Date.now() - begun) / 1_000;
        showProgress(`${name}: ${passed.toFixed(0)} of ${load.seconds} s, ${now.toFixed(0)} MiB`);
    }, 1_000);
    try {
        const run = { url, headers, core: cores.generator, server: pid };
        return { ...(await openLoop(rate)({ ...load, ...run }, signal)), residentMib };
    } finally {
        clearInterval(timer);
    }
}
