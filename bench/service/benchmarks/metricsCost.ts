import { setTimeout as wait } from "node:timers/promises";

import { SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";

import type { Sample } from "../generators/sample.ts";
import { closedLoop } from "../generators/wrk.ts";
import { startABServers } from "../peers/service/abServers.ts";
import type { Fact, BenchmarkResult } from "../report/result.ts";
import { median, pairedRatio } from "../report/statistics.ts";
import { requestBodies } from "../workload.ts";
import { fill } from "./fill.ts";
import { atLeast, noFailures } from "./floors.ts";
import { scrape } from "./metrics.ts";
import { loadOn, type Benchmark } from "./benchmark.ts";
import { CONNECTIONS, measureInRounds, ROUNDS, ROUNDS_WORKLOAD, SECONDS } from "./rounds.ts";

const MIN_RATIO = 0.97;
const ID = "metrics-cost";
const TITLE = "cost of metrics: hits with metrics and scrapes, with metrics, and without";

const KINDS = ["with metrics, scraped", "with metrics", "without metrics"] as const;
type Kind = (typeof KINDS)[number];
type Rounds = Readonly<Record<Kind, readonly Sample[]>>;

/**
 * Measured on hits: they are the cheapest requests, so the share of metrics in their cost is largest. A scraped
 * turn is scraped once, more often than by Prometheus; the result is scaled to Prometheus' interval.
 */
export const metricsCost: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [],
    run: async (context) => {
        const { resources, cores, signal } = context;
        const { service: withMetrics, other: withoutMetrics } = await startABServers(
            { ...resources, core: cores.server },
            "without metrics",
        );
        const bodies = requestBodies(ROUNDS_WORKLOAD);
        const json = bodies.map((body) => body.json);
        const load = loadOn(withMetrics, context, ID, json, {
            connections: CONNECTIONS,
            seconds: SECONDS,
        });

        async function measureKind(kind: Kind): Promise<Sample> {
            const target = kind === "without metrics" ? withoutMetrics : withMetrics;
            const scraping = kind === "with metrics, scraped" ? scrapeMidway() : undefined;
            const [sample] = await Promise.all([
                closedLoop({ ...load, ...target }, signal),
                scraping,
            ]);
            return sample;
        }

        async function scrapeMidway(): Promise<void> {
            await wait((SECONDS * 1000) / 2);
            await scrape(withMetrics);
        }

        let samples: Rounds;
        try {
            await fill(withMetrics, bodies, ROUNDS_WORKLOAD.dimensions);
            samples = await measureInRounds(context, TITLE, KINDS, measureKind);
        } finally {
            await withMetrics.stop();
        }
        return {
            setting: {
                ...ROUNDS_WORKLOAD,
                connections: CONNECTIONS,
                seconds: SECONDS,
                rounds: ROUNDS,
            },
            ...evaluate(samples),
        };
    },
};

/** Each round starts with another variant. */
function evaluate(samples: Rounds): Pick<BenchmarkResult, "facts" | "floors"> {
    const ratioOf = (one: Kind, other: Kind): number => {
        const [own, others] = [one, other].map((kind) => samples[kind].map(({ rate }) => rate));
        return pairedRatio(own ?? [], others ?? []);
    };
    const counting = ratioOf("with metrics", "without metrics");
    const scraped = ratioOf("with metrics, scraped", "with metrics");
    // Noise may make a scrape look like a gain.
    const scrapeSeconds = Math.max(0, 1 - scraped) * SECONDS;
    const both = counting * (1 - scrapeSeconds / SCRAPE_INTERVAL_SECONDS);
    const description = `requests/s, scraped every ${SCRAPE_INTERVAL_SECONDS} s, ≥ ${MIN_RATIO} × without metrics`;
    return {
        facts: KINDS.map((kind) => fact(kind, samples[kind], ratioOf(kind, "without metrics"))),
        floors: [
            atLeast(description, MIN_RATIO, "×", both),
            noFailures(Object.values(samples).flat()),
        ],
    };
}

function fact(service: Kind, samples: readonly Sample[], ratio: number): Fact {
    return {
        service:
            service === "with metrics, scraped"
                ? `with metrics, scraped every ${SECONDS} s`
                : service,
        "req/s": median(samples.map(({ rate }) => rate)),
        "cpu µs": median(samples.map(({ rate, serverCore }) => (serverCore / rate) * 1e6)),
        "p99 ms": median(samples.map(({ latency }) => latency.p99)),
        ratio,
    };
}
