import { writeBodies } from "../generators/bodies.ts";
import { oursWithRedis } from "../peers/service/service.ts";
import { median } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { floorResult } from "./floors.ts";
import { steadyLoad } from "./steadyLoad.ts";
import type { Benchmark } from "./benchmark.ts";

const USERS = 1_000;
const RATE = 2_000;
/** Four times the size of the local cache, so that entries are evicted all the time, as in a pod. */
const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: 8_000 } as const;
/** Share of the time in which caches fill and heaps grow to their size. */
const WARM_UP_SHARE = 0.25;
const ID = "soak";

/** Checks that resident memory stays constant under steady load. */
export function soak(seconds: number): Benchmark {
    const title = `${USERS} users, ${RATE} requests/s, for ${seconds} s: memory`;
    return {
        id: ID,
        title,
        peers: [],
        run: async (context) => {
            const { resources, cores } = context;
            const service = await oursWithRedis.start({ ...resources, core: cores.server });
            try {
                const bodies = requestBodies(WORKLOAD).map(({ json }) => json);
                const bodiesFile = writeBodies(resources.processes.folder, ID, bodies);
                const load = { name: title, rate: RATE, connections: USERS, seconds, bodiesFile };
                const sample = await steadyLoad(context, service, load);
                const { rate, latency, failed, residentMib } = sample;
                const warmUp = Math.floor(residentMib.length * WARM_UP_SHARE);
                const resident = residentMib.slice(warmUp);
                const middle = median(resident);
                const [min, max] = [Math.min(...resident), Math.max(...resident)];
                const deviation = Math.max(max - middle, middle - min) / middle;
                const flat = {
                    description: "resident memory constant, ± 5 %",
                    limit: 5,
                    unit: "%",
                } as const;
                const none = {
                    description: "failed requests = 0",
                    limit: 0,
                    unit: "requests",
                } as const;
                return {
                    ...{ id: ID, title, peers: [], notes: [], versions: {} },
                    setting: { ...WORKLOAD, users: USERS, rate: RATE, seconds },
                    facts: [
                        {
                            resident: "MiB",
                            ...{ min, median: middle, max, "requests/s": rate },
                            ...{ "p50 ms": latency.p50, "p99 ms": latency.p99 },
                        },
                    ],
                    floors: [
                        floorResult({ ...flat, direction: "max" }, deviation * 100),
                        floorResult({ ...none, direction: "max" }, failed),
                    ],
                };
            } finally {
                await service.stop();
            }
        },
    };
}
