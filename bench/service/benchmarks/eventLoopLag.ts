import { writeBodies } from "../generators/bodies.ts";
import { closedLoop } from "../generators/wrk.ts";
import { localModel } from "../peers/service/localModel.ts";
import { listingText } from "../workload.ts";
import { floorResult } from "./floors.ts";
import { scrape, sumOfSeries } from "./metrics.ts";
import type { Benchmark } from "./benchmark.ts";

const SECONDS = 10;
const CONNECTIONS = 8;
/** More texts than the model can embed in that time, so that each request is a miss. */
const TEXTS = 20_000;
const LAG_P99 = "nodejs_eventloop_lag_p99_seconds";
const ID = "loop-lag";
const TITLE = "event-loop lag: only misses, local model and event loop on one core";

/** A model that blocks the event loop would delay hits, probes and metrics of its pod. */
export const eventLoopLag: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [localModel],
    run: async (context) => {
        const { resources, cores, signal } = context;
        const setting = { connections: CONNECTIONS, seconds: SECONDS };
        const empty = { id: ID, title: TITLE, peers: [], notes: [], versions: {}, setting };
        if (!context.isAvailable(localModel)) return { ...empty, facts: [], floors: [] };
        const service = await localModel.start({ ...resources, core: cores.server });
        try {
            const bodies = Array.from({ length: TEXTS }, (_, at) =>
                JSON.stringify({ model: localModel.model, input: listingText(at) }),
            );
            const bodiesFile = writeBodies(resources.processes.folder, ID, bodies);
            const { url, headers, pid } = service;
            const load = {
                url,
                headers,
                bodiesFile,
                ...setting,
                core: cores.generator,
                server: pid,
            };
            await closedLoop({ ...load, seconds: 2 }, signal);
            // Each scrape starts a new window of the lag histogram.
            await scrape(service);
            const { rate, latency } = await closedLoop(load, signal);
            const p99 = sumOfSeries(await scrape(service), LAG_P99) * 1000;
            const description = "event-loop lag p99 < 20 ms while the model computes";
            return {
                ...empty,
                facts: [{ misses: "a second", rate, "p50 ms": latency.p50, "lag p99 ms": p99 }],
                floors: [
                    floorResult({ description, limit: 20, direction: "max", unit: "ms" }, p99),
                ],
            };
        } finally {
            await service.stop();
        }
    },
};
