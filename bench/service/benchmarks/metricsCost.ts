import { setTimeout as wait } from "node:timers/promises";

import { SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";

import { writeBodies } from "../generators/bodies.ts";
import type { Sample } from "../generators/sample.ts";
import { closedLoop } from "../generators/wrk.ts";
import { startTwins } from "../peers/service/twins.ts";
import type { Fact, Finding } from "../report/finding.ts";
import { median, pairedRatio } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { fill } from "./fill.ts";
import { floorResult } from "./floors.ts";
import { scrape } from "./metrics.ts";
import type { Trial } from "./trial.ts";

const WORKLOAD = { dimensions: 1536, encoding: "base64", items: 1, bodies: 1_024 } as const;
const CONNECTIONS = 64;
/** Short and many: what the machine does meanwhile hits all of a round. */
const SECONDS = 1;
const ROUNDS = 50;
const WARM_UP_ROUNDS = 4;
const LEAST = 0.97;
const ID = "metrics-cost";
const TITLE = "what metrics cost: hits, counted and scraped, beside hits that nobody counts";

const KINDS = ["counted and scraped", "counted", "without metrics"] as const;
type Kind = (typeof KINDS)[number];
type Rounds = Readonly<Record<Kind, Sample[]>>;

/**
 * Hits, of which a core answers the most, so that counting is the greatest part of what they cost. A turn
 * that is scraped is so once: as many times as often as by Prometheus as it is shorter than its interval.
 */
export const metricsCost: Trial = {
    id: ID,
    title: TITLE,
    peers: [],
    run: async (bench) => {
        const { ground, cores, signal } = bench;
        const { counted, uncounted } = await startTwins({ ...ground, core: cores.server });
        const bodies = requestBodies(WORKLOAD);
        const json = bodies.map((body) => body.json);
        const bodiesFile = writeBodies(ground.processes.folder, ID, json);
        const load = {
            ...{ bodiesFile, connections: CONNECTIONS, seconds: SECONDS },
            ...{ core: cores.generator, server: counted.pid },
        };

        async function take(kind: Kind): Promise<Sample> {
            const of = kind === "without metrics" ? uncounted : counted;
            const scraping = kind === "counted and scraped" ? scrapedMidway() : undefined;
            const [sample] = await Promise.all([closedLoop({ ...load, ...of }, signal), scraping]);
            return sample;
        }

        async function scrapedMidway(): Promise<void> {
            await wait((SECONDS * 1000) / 2);
            await scrape(counted);
        }

        const taken: Rounds = { "counted and scraped": [], counted: [], "without metrics": [] };
        try {
            await fill(counted, bodies, WORKLOAD.dimensions);
            for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
                bench.say(`${TITLE}: round ${round + 1} of ${ROUNDS}`);
                for (const kind of inTurn(round + WARM_UP_ROUNDS)) {
                    const sample = await take(kind);
                    if (round >= 0) taken[kind].push(sample);
                }
            }
        } finally {
            await counted.stop();
        }
        return {
            ...{ id: ID, title: TITLE, standings: [], versions: {}, notes: [] },
            setting: { ...WORKLOAD, connections: CONNECTIONS, seconds: SECONDS, rounds: ROUNDS },
            ...judged(taken),
        };
    },
};

/** Another one first each round. */
function inTurn(round: number): readonly Kind[] {
    const first = round % KINDS.length;
    return [...KINDS.slice(first), ...KINDS.slice(0, first)];
}

function judged(taken: Rounds): Pick<Finding, "facts" | "floors"> {
    const ratioOf = (one: Kind, other: Kind): number => {
        const [own, others] = [one, other].map((kind) => taken[kind].map(({ rate }) => rate));
        return pairedRatio(own ?? [], others ?? []);
    };
    const counting = ratioOf("counted", "without metrics");
    const scraped = ratioOf("counted and scraped", "counted");
    // Noise may show a scrape as a gain, which it never is.
    const scrapeSeconds = Math.max(0, 1 - scraped) * SECONDS;
    const both = counting * (1 - scrapeSeconds / SCRAPE_INTERVAL_SECONDS);
    const failed = Object.values(taken)
        .flat()
        .reduce((sum, one) => sum + one.failed, 0);
    const what = `requests/s, scraped every ${SCRAPE_INTERVAL_SECONDS} s, ≥ ${LEAST} × without metrics`;
    const least = { what, limit: LEAST, direction: "least", unit: "×" } as const;
    const none = { what: "failed requests = 0", limit: 0, direction: "most" } as const;
    return {
        facts: KINDS.map((kind) => fact(kind, taken[kind], ratioOf(kind, "without metrics"))),
        floors: [floorResult(least, both), floorResult({ ...none, unit: "requests" }, failed)],
    };
}

function fact(service: Kind, samples: readonly Sample[], ratio: number): Fact {
    return {
        service:
            service === "counted and scraped" ? `counted, scraped every ${SECONDS} s` : service,
        "req/s": median(samples.map(({ rate }) => rate)),
        "cpu µs": median(samples.map(({ rate, serverCore }) => (serverCore / rate) * 1e6)),
        "p99 ms": median(samples.map(({ latency }) => latency.p99)),
        ratio,
    };
}
