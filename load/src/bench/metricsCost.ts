import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { SCRAPE_INTERVAL } from "@property-search/contract";

import type { Sample } from "../generators/sample.ts";
import { closedLoop } from "../generators/wrk.ts";
import { startTwins } from "../peers/service/twins.ts";
import type { Fact } from "../report/finding.ts";
import { median, pairedRatio } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { fill } from "./fill.ts";
import { floorResult } from "./floors.ts";
import { scrape } from "./metrics.ts";
import type { Trial } from "./trial.ts";

const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: 1_024 } as const;
const CONNECTIONS = 64;
/** Short and many: what the machine does meanwhile hits both of a turn. */
const SECONDS = 1;
const TURNS = 60;
const WARM_UP_TURNS = 4;
const LEAST = 0.97;
const ID = "metrics-cost";
const TITLE = "what metrics cost: hits, counted and scraped, beside hits that nobody counts";

/**
 * Hits, of which a core answers the most, so that counting is the greatest part of what they cost. The
 * service is scraped once in each of its turns: many times as often as by Prometheus.
 */
export const metricsCost: Trial = {
    id: ID,
    title: TITLE,
    peers: [],
    run: async (bench) => {
        const { ground, cores, signal } = bench;
        const { counted, uncounted } = await startTwins({ ...ground, core: cores.server });
        const bodiesFile = path.join(ground.processes.folder, `${ID}.ndjson`);
        const load = {
            ...{ bodiesFile, connections: CONNECTIONS, seconds: SECONDS },
            ...{ core: cores.generator, server: counted.pid },
        };

        async function countedTurn(): Promise<Sample> {
            const half = wait((SECONDS * 1000) / 2).then(() => scrape(counted));
            const [sample] = await Promise.all([closedLoop({ ...load, ...counted }, signal), half]);
            return sample;
        }

        const uncountedTurn = (): Promise<Sample> => closedLoop({ ...load, ...uncounted }, signal);

        const samples = { counted: [] as Sample[], uncounted: [] as Sample[] };
        try {
            const bodies = requestBodies(WORKLOAD);
            writeFileSync(bodiesFile, bodies.map(({ json }) => `${json}\n`).join(""));
            await fill(counted, bodies, WORKLOAD.dimensions);
            for (let turn = -WARM_UP_TURNS; turn < TURNS; turn += 1) {
                bench.say(`${TITLE}: turn ${turn + 1} of ${TURNS}`);
                const first = turn % 2 === 0 ? await countedTurn() : undefined;
                const second = await uncountedTurn();
                const third = first ?? (await countedTurn());
                if (turn < 0) continue;
                samples.counted.push(third);
                samples.uncounted.push(second);
            }
        } finally {
            await counted.stop();
        }
        const rates = (of: readonly Sample[]): number[] => of.map(({ rate }) => rate);
        const ratio = pairedRatio(rates(samples.counted), rates(samples.uncounted));
        const failed = [...samples.counted, ...samples.uncounted].reduce(
            (sum, one) => sum + one.failed,
            0,
        );
        const least = { what: `requests/s ≥ ${LEAST} × without metrics`, limit: LEAST } as const;
        const none = { what: "failed requests = 0", limit: 0 } as const;
        return {
            ...{ id: ID, title: TITLE, standings: [], versions: {} },
            setting: { ...WORKLOAD, connections: CONNECTIONS, seconds: SECONDS, turns: TURNS },
            facts: [
                fact(`counted, scraped every ${SECONDS} s`, samples.counted, ratio),
                fact("without metrics", samples.uncounted, 1),
            ],
            notes: [`Prometheus scrapes every ${SCRAPE_INTERVAL} s`],
            floors: [
                floorResult({ ...least, direction: "least", unit: "×" }, ratio),
                floorResult({ ...none, direction: "most", unit: "requests" }, failed),
            ],
        };
    },
};

function fact(service: string, samples: readonly Sample[], ratio: number): Fact {
    return {
        service,
        "req/s": median(samples.map(({ rate }) => rate)),
        "cpu µs": median(samples.map(({ rate, serverCore }) => (serverCore / rate) * 1e6)),
        "p99 ms": median(samples.map(({ latency }) => latency.p99)),
        ratio,
    };
}
