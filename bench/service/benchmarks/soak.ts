import { oursWithRedis } from "../peers/service/service.ts";
import { median } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { atMost, noFailures } from "./floors.ts";
import { steadyLoad } from "./steadyLoad.ts";
import { loadOn, withService, type Benchmark } from "./benchmark.ts";

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
        run: (context) =>
            withService(oursWithRedis, context, async (service) => {
                const bodies = requestBodies(WORKLOAD).map(({ json }) => json);
                const load = loadOn(service, context, ID, bodies, { connections: USERS, seconds });
                const sample = await steadyLoad(context, title, RATE, load);
                const { rate, latency, residentMib } = sample;
                const resident = residentMib.slice(Math.floor(residentMib.length * WARM_UP_SHARE));
                const middle = median(resident);
                const [min, max] = [Math.min(...resident), Math.max(...resident)];
                const deviation = Math.max(max - middle, middle - min) / middle;
                return {
                    setting: { ...WORKLOAD, users: USERS, rate: RATE, seconds },
                    facts: [
                        {
                            resident: "MiB",
                            ...{ min, median: middle, max, "requests/s": rate },
                            ...{ "p50 ms": latency.p50, "p99 ms": latency.p99 },
                        },
                    ],
                    floors: [
                        atMost("resident memory constant, ± 5 %", 5, "%", deviation * 100),
                        noFailures([sample]),
                    ],
                };
            }),
    };
}
