import { closedLoop } from "../generators/wrk.ts";
import { localModel } from "../peers/service/localModel.ts";
import { listingText } from "../workload.ts";
import { atMost } from "./floors.ts";
import { scrape, sumOfSeries } from "./metrics.ts";
import { loadOn, withService, type Benchmark } from "./benchmark.ts";

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
        const setting = { connections: CONNECTIONS, seconds: SECONDS };
        if (!context.isAvailable(localModel)) return { setting };
        return withService(localModel, context, async (service) => {
            const bodies = Array.from({ length: TEXTS }, (_, at) =>
                JSON.stringify({ model: localModel.model, input: listingText(at) }),
            );
            const load = loadOn(service, context, ID, bodies, setting);
            await closedLoop({ ...load, seconds: 2 }, context.signal);
            // Each scrape starts a new window of the lag histogram.
            await scrape(service);
            const { rate, latency } = await closedLoop(load, context.signal);
            const p99 = sumOfSeries(await scrape(service), LAG_P99) * 1000;
            return {
                setting,
                facts: [{ misses: "per second", rate, "p50 ms": latency.p50, "lag p99 ms": p99 }],
                floors: [atMost("event-loop lag p99 ≤ 20 ms under misses", 20, "ms", p99)],
            };
        });
    },
};
