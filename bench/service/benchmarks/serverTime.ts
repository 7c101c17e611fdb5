import { closedLoop } from "../generators/wrk.ts";
import { ours, oursFromRedis, type Service } from "../peers/service/service.ts";
import { requestBodies } from "../workload.ts";
import { fill } from "./fill.ts";
import { atMost } from "./floors.ts";
import {
    difference,
    quantileBoundMilliseconds,
    meanMilliseconds,
    scrape,
    serverTimes,
    type ServerTimes,
} from "./metrics.ts";
import { loadOn, withService, type Benchmark, type BenchmarkContext } from "./benchmark.ts";

const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: 1_024 } as const;
const SECONDS = 3;
const ID = "server-time";
const TITLE = "hits: time in the server by its own histogram, one client";

/**
 * Time from the last byte of a request to the last byte of its answer. There is one client, since with several
 * the time includes the wait for each other.
 */
export const serverTime: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [],
    run: async (context) => {
        const local = await measureService(ours, context);
        const shared = await measureService(oursFromRedis, context);
        const [l1, l2] = [local, shared].map((times) => quantileBoundMilliseconds(times, 0.5));
        return {
            setting: { ...WORKLOAD, connections: 1, seconds: SECONDS },
            facts: [fact("HIT-L1", local), fact("HIT-L2", shared)],
            floors: [
                atMost("HIT-L1, p50 ≤ 0.1 ms in the server", 0.1, "ms", l1 ?? NaN),
                atMost("HIT-L2, p50 ≤ 1 ms in the server", 1, "ms", l2 ?? NaN),
            ],
        };
    },
};

function measureService(service: Service, context: BenchmarkContext): Promise<ServerTimes> {
    return withService(service, context, async (target) => {
        const bodies = requestBodies(WORKLOAD);
        await fill(target, bodies, WORKLOAD.dimensions);
        const json = bodies.map((body) => body.json);
        const load = loadOn(target, context, ID, json, { connections: 1, seconds: SECONDS });
        await closedLoop(load, context.signal);
        const before = serverTimes(await scrape(target));
        await closedLoop(load, context.signal);
        return difference(before, serverTimes(await scrape(target)));
    });
}

function fact(status: string, times: ServerTimes): Record<string, string | number> {
    return {
        status,
        answers: times.count,
        "mean ms": meanMilliseconds(times),
        "p50 ≤ ms": quantileBoundMilliseconds(times, 0.5),
        "p99 ≤ ms": quantileBoundMilliseconds(times, 0.99),
    };
}
