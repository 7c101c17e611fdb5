import { openLoop } from "../generators/openLoop.ts";
import type { Load, Sample } from "../generators/sample.ts";
import { residentBytes } from "../processes/usage.ts";
import type { BenchmarkContext } from "./benchmark.ts";

const MIB = 2 ** 20;

export interface SteadySample extends Sample {
    /** Resident memory of the service in MiB, one value per second. */
    readonly residentMib: readonly number[];
}

/** Sends an open loop of `rate` requests per second to the service and records its memory. */
export async function steadyLoad(
    { signal, showProgress }: Pick<BenchmarkContext, "signal" | "showProgress">,
    name: string,
    rate: number,
    load: Load,
): Promise<SteadySample> {
    const begun = Date.now();
    const residentMib: number[] = [];
    const timer = setInterval(() => {
        const now = residentBytes(load.server) / MIB;
        residentMib.push(now);
        const passed = (Date.now() - begun) / 1_000;
        showProgress(`${name}: ${passed.toFixed(0)} of ${load.seconds} s, ${now.toFixed(0)} MiB`);
    }, 1_000);
    try {
        return { ...(await openLoop(rate)(load, signal)), residentMib };
    } finally {
        clearInterval(timer);
    }
}
