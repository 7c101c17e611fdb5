import { writeBodies } from "../generators/bodies.ts";
import { closedLoop } from "../generators/wrk.ts";
import { localModel } from "../peers/service/localModel.ts";
import { listingText } from "../workload.ts";
import { floorResult } from "./floors.ts";
import { scrape, total } from "./metrics.ts";
import type { Trial } from "./trial.ts";

const SECONDS = 10;
const CONNECTIONS = 8;
/** More texts than it can embed in that time, so that each is a miss. */
const TEXTS = 20_000;
const LAG_P99 = "nodejs_eventloop_lag_p99_seconds";
const ID = "loop-lag";
const TITLE = "the local model at work: only misses, one core for model and event loop";

/** A model that blocks the event loop would stop hits, probes and metrics of its pod. */
export const lag: Trial = {
    id: ID,
    title: TITLE,
    peers: [localModel],
    run: async (bench) => {
        const { ground, cores, signal } = bench;
        const setting = { connections: CONNECTIONS, seconds: SECONDS };
        const empty = { id: ID, title: TITLE, standings: [], notes: [], versions: {}, setting };
        if (!bench.has(localModel)) return { ...empty, facts: [], floors: [] };
        const service = await localModel.start({ ...ground, core: cores.server });
        try {
            const bodies = Array.from({ length: TEXTS }, (_, at) =>
                JSON.stringify({ model: localModel.model, input: listingText(at) }),
            );
            const bodiesFile = writeBodies(ground.processes.folder, ID, bodies);
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
            // A scrape begins a new window of the lag's histogram.
            await scrape(service);
            const { rate, latency } = await closedLoop(load, signal);
            const p99 = total(await scrape(service), LAG_P99) * 1000;
            const what = "event-loop lag p99 < 20 ms while the model works";
            return {
                ...empty,
                facts: [{ misses: "a second", rate, "p50 ms": latency.p50, "lag p99 ms": p99 }],
                floors: [floorResult({ what, limit: 20, direction: "most", unit: "ms" }, p99)],
            };
        } finally {
            await service.stop();
        }
    },
};
