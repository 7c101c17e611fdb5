import { writeBodies } from "../generators/bodies.ts";
import { closedLoop } from "../generators/wrk.ts";
import { ours, oursFromRedis, type Service } from "../peers/service/service.ts";
import { requestBodies } from "../workload.ts";
import { fill } from "./fill.ts";
import { floorResult } from "./floors.ts";
import {
    difference,
    quantileBoundMilliseconds,
    meanMilliseconds,
    scrape,
    serverTimes,
    type ServerTimes,
} from "./metrics.ts";
import type { BenchmarkContext, Benchmark } from "./benchmark.ts";

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
        const max = { direction: "max", unit: "ms" } as const;
        const l1 = { ...max, description: "HIT-L1, p50 ≤ 0.1 ms in the server", limit: 0.1 };
        const l2 = { ...max, description: "HIT-L2, p50 ≤ 1 ms in the server", limit: 1 };
        return {
            ...{ id: ID, title: TITLE, peers: [], notes: [], versions: {} },
            setting: { ...WORKLOAD, connections: 1, seconds: SECONDS },
            facts: [fact("HIT-L1", local), fact("HIT-L2", shared)],
            floors: [
                floorResult(l1, quantileBoundMilliseconds(local, 0.5)),
                floorResult(l2, quantileBoundMilliseconds(shared, 0.5)),
            ],
        };
    },
};

async function measureService(service: Service, context: BenchmarkContext): Promise<ServerTimes> {
    const { resources, cores, signal } = context;
    const target = await service.start({ ...resources, core: cores.server });
    try {
        const bodies = requestBodies(WORKLOAD);
        const json = bodies.map((body) => body.json);
        const bodiesFile = writeBodies(resources.processes.folder, ID, json);
        await fill(target, bodies, WORKLOAD.dimensions);
        const { url, headers, pid } = target;
        const load = {
            url,
            headers,
            bodiesFile,
            connections: 1,
            core: cores.generator,
            server: pid,
        };
        await closedLoop({ ...load, seconds: SECONDS }, signal);
        const before = serverTimes(await scrape(target));
        await closedLoop({ ...load, seconds: SECONDS }, signal);
        return difference(before, serverTimes(await scrape(target)));
    } finally {
        await target.stop();
    }
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
