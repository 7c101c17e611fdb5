import { writeBodies } from "../generators/bodies.ts";
import { oursWithRedis } from "../peers/service/service.ts";
import { median } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { floorResult } from "./floors.ts";
import { steadyLoad } from "./steadyLoad.ts";
import type { Trial } from "./trial.ts";

const USERS = 1_000;
const RATE = 2_000;
/** Four times what its own cache holds: entries come and go all the time, as they do in a pod. */
const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: 8_000 } as const;
/** Caches fill and heaps find their size at first. */
const SETTLING_SHARE = 0.25;
const ID = "soak";

/** Whether resident memory stays where it is under load that goes on. */
export function soak(seconds: number): Trial {
    const title = `${USERS} users, ${RATE} requests/s, for ${seconds} s: memory`;
    return {
        id: ID,
        title,
        peers: [],
        run: async (bench) => {
            const { ground, cores } = bench;
            const service = await oursWithRedis.start({ ...ground, core: cores.server });
            try {
                const bodies = requestBodies(WORKLOAD).map(({ json }) => json);
                const bodiesFile = writeBodies(ground.processes.folder, ID, bodies);
                const load = { name: title, rate: RATE, connections: USERS, seconds, bodiesFile };
                const sample = await steadyLoad(bench, service, load);
                const { rate, latency, failed, residentMib } = sample;
                const settled = Math.floor(residentMib.length * SETTLING_SHARE);
                const resident = residentMib.slice(settled);
                const middle = median(resident);
                const [least, most] = [Math.min(...resident), Math.max(...resident)];
                const deviation = Math.max(most - middle, middle - least) / middle;
                const flat = { what: "resident memory flat, ± 5 %", limit: 5, unit: "%" } as const;
                const none = { what: "failed requests = 0", limit: 0, unit: "requests" } as const;
                return {
                    ...{ id: ID, title, standings: [], notes: [], versions: {} },
                    setting: { ...WORKLOAD, users: USERS, rate: RATE, seconds },
                    facts: [
                        {
                            resident: "MiB",
                            ...{ least, median: middle, most, "requests/s": rate },
                            ...{ "p50 ms": latency.p50, "p99 ms": latency.p99 },
                        },
                    ],
                    floors: [
                        floorResult({ ...flat, direction: "most" }, deviation * 100),
                        floorResult({ ...none, direction: "most" }, failed),
                    ],
                };
            } finally {
                await service.stop();
            }
        },
    };
}
