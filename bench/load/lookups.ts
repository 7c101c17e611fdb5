import { METRICS, SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";

import { readCounts, type Growth } from "../../insights/src/prometheus/counters.ts";
import { createPrometheus } from "../../insights/src/prometheus/client.ts";
import { readProcesses } from "../../insights/src/prometheus/processes.ts";
import type { Cluster } from "../../operations/cluster/connect.ts";
import { forwardPrometheus } from "../../operations/cluster/prometheusAccess.ts";

/** A clock that is only kept right by NTP differs by less. */
const MAX_CLOCK_STEP_SECONDS = 1;

/**
 * Begins a window of time in Prometheus.
 *
 * @returns reads its start in Unix seconds; throws an Error if the clock was set since, which shifts the window
 */
export function beginWindow(): () => number {
    const [begun, steadily] = [Date.now(), performance.now()];
    return () => {
        const step = (Date.now() - begun - (performance.now() - steadily)) / 1000;
        if (Math.abs(step) <= MAX_CLOCK_STEP_SECONDS) return begun / 1000;
        throw new Error(`the clock of this machine stepped by ${step.toFixed(1)} s meanwhile`);
    };
}

/** Growth of the service's counters in a time, with what is missing of it. */
export interface ServiceCounts {
    readonly growths: readonly Growth[];
    readonly problems: readonly string[];
}

/**
 * Reads how much the counters of all pods grew since a time, exactly: pods that started and ended count, too. Waits until
 * Prometheus has scraped what was counted until now.
 *
 * @param since Unix seconds
 * @throws ClusterError, PrometheusError
 */
export async function readServiceCounts(cluster: Cluster, since: number): Promise<ServiceCounts> {
    await delay((SCRAPE_INTERVAL_SECONDS + 2) * 1000);
    const { url, token, close } = await forwardPrometheus(cluster);
    try {
        const prometheus = createPrometheus({ url, token });
        const window = { from: since, to: Date.now() / 1000 };
        const { processes, gaps } = await readProcesses(prometheus, window);
        const { growths, problems } = await readCounts(prometheus, processes, window);
        const lost = gaps.filter(({ losesCounts }) => losesCounts);
        const words = lost.map(({ pod = "all pods", reason }) => `${pod}: ${reason}`);
        return { growths, problems: [...problems, ...words] };
    } finally {
        await close();
    }
}

/** Items looked up, by result. @throws Error if counts are missing, since lost misses would raise the hit rate */
export function lookupsOf({ growths, problems }: ServiceCounts): Record<string, number> {
    if (problems.length > 0) throw new Error(`counts are incomplete: ${problems.join("; ")}`);
    const lookups: Record<string, number> = {};
    for (const { name, labels, value } of growths) {
        const { result } = labels;
        if (name !== METRICS.lookups || result === undefined) continue;
        lookups[result] = (lookups[result] ?? 0) + value;
    }
    return lookups;
}
