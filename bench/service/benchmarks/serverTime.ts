import { writeBodies } from "../generators/bodies.ts";
import { closedLoop } from "../generators/wrk.ts";
import { ours, oursFromRedis, type Service } from "../peers/service/service.ts";
import { requestBodies } from "../workload.ts";
import { fill } from "./fill.ts";
import { floorResult } from "./floors.ts";
import {
    between,
    boundMilliseconds,
    meanMilliseconds,
    scrape,
    serverTimes,
    type ServerTimes,
} from "./metrics.ts";
import type { Bench, Trial } from "./trial.ts";

const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: 1_024 } as const;
const SECONDS = 3;
const ID = "server-time";
const TITLE = "hits, time in the server by its own histogram, one client at a time";

/**
 * From a request's last byte in to its answer's last byte handed over. One client, because the time
 * that requests wait for each other says how many clients there are, not what a hit takes.
 */
export const serverTime: Trial = {
    id: ID,
    title: TITLE,
    peers: [],
    run: async (bench) => {
        const local = await timeOf(ours, bench);
        const shared = await timeOf(oursFromRedis, bench);
        const most = { direction: "most", unit: "ms" } as const;
        const l1 = { ...most, what: "HIT-L1, p50 ≤ 0.1 ms in the server", limit: 0.1 };
        const l2 = { ...most, what: "HIT-L2, p50 ≤ 1 ms in the server", limit: 1 };
        return {
            ...{ id: ID, title: TITLE, standings: [], notes: [], versions: {} },
            setting: { ...WORKLOAD, connections: 1, seconds: SECONDS },
            facts: [fact("HIT-L1", local), fact("HIT-L2", shared)],
            floors: [
                floorResult(l1, boundMilliseconds(local, 0.5)),
                floorResult(l2, boundMilliseconds(shared, 0.5)),
            ],
        };
    },
};

async function timeOf(service: Service, bench: Bench): Promise<ServerTimes> {
    const { ground, cores, signal } = bench;
    const contestant = await service.start({ ...ground, core: cores.server });
    try {
        const bodies = requestBodies(WORKLOAD);
        const json = bodies.map((body) => body.json);
        const bodiesFile = writeBodies(ground.processes.folder, ID, json);
        await fill(contestant, bodies, WORKLOAD.dimensions);
        const { url, headers, pid } = contestant;
        const load = {
            url,
            headers,
            bodiesFile,
            connections: 1,
            core: cores.generator,
            server: pid,
        };
        await closedLoop({ ...load, seconds: SECONDS }, signal);
        const before = serverTimes(await scrape(contestant));
        await closedLoop({ ...load, seconds: SECONDS }, signal);
        return between(before, serverTimes(await scrape(contestant)));
    } finally {
        await contestant.stop();
    }
}

function fact(status: string, times: ServerTimes): Record<string, string | number> {
    return {
        status,
        answers: times.count,
        "mean ms": meanMilliseconds(times),
        "p50 ≤ ms": boundMilliseconds(times, 0.5),
        "p99 ≤ ms": boundMilliseconds(times, 0.99),
    };
}
