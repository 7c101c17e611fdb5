import { openLoop } from "../generators/openLoop.ts";
import type { Load, Sample } from "../generators/sample.ts";
import type { Contestant } from "../peers/peer.ts";
import { residentBytes } from "../processes/usage.ts";
import type { Bench } from "./trial.ts";

const MIB = 2 ** 20;

export interface SteadyLoad extends Pick<Load, "bodiesFile" | "connections" | "seconds"> {
    /** For the progress line. */
    readonly name: string;
    /** Requests a second. */
    readonly rate: number;
}

export interface SteadySample extends Sample {
    /** Resident memory of the service, in MiB, once a second. */
    readonly residentMib: readonly number[];
}

/** Loads a service by an open loop and watches its memory. */
export async function steadyLoad(
    { cores, signal, say }: Pick<Bench, "cores" | "signal" | "say">,
    { url, headers, pid }: Pick<Contestant, "url" | "headers" | "pid">,
    { name, rate, ...load }: SteadyLoad,
): Promise<SteadySample> {
    const begun = Date.now();
    const residentMib: number[] = [];
    const watch = setInterval(() => {
        const now = residentBytes(pid) / MIB;
        residentMib.push(now);
        const passed = (Date.now() - begun) / 1_000;
        say(`${name}: ${passed.toFixed(0)} of ${load.seconds} s, ${now.toFixed(0)} MiB`);
    }, 1_000);
    try {
        const target = { url, headers, core: cores.generator, server: pid };
        return { ...(await openLoop(rate)({ ...load, ...target }, signal)), residentMib };
    } finally {
        clearInterval(watch);
    }
}
