import { setTimeout as wait } from "node:timers/promises";

import { SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";

import type { Sample } from "../generators/sample.ts";
import type { Fact, BenchmarkResult } from "../report/result.ts";
import { median } from "../report/statistics.ts";
import type { Benchmark } from "./benchmark.ts";
import { atLeast, noFailures } from "./floors.ts";
import { scrape } from "./metrics.ts";
import { measureInRounds, rateRatio, SECONDS, type Rounds } from "./rounds.ts";

const MIN_RATIO = 0.97;
const ID = "metrics-cost";
const TITLE = "cost of metrics: hits with metrics and scrapes, with metrics, and without";

const KINDS = ["with metrics, scraped", "with metrics", "without metrics"] as const;
type Kind = (typeof KINDS)[number];

/**
 * Measured on hits: they are the cheapest requests, so the share of metrics in their cost is largest. A scraped
 * turn is scraped once, more often than by Prometheus; the result is scaled to Prometheus' interval.
 */
export const metricsCost: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [],
    run: async (context) => {
        const { setting, samples } = await measureInRounds(context, {
            ...{ id: ID, title: TITLE, kinds: KINDS, variant: "without metrics" },
            targetOf: (kind, { service, other }) => (kind === "without metrics" ? other : service),
            during: async (kind, { service }) => {
                if (kind !== "with metrics, scraped") return;
                await wait((SECONDS * 1000) / 2);
                await scrape(service);
            },
        });
        return { setting, ...evaluate(samples) };
    },
};

function evaluate(samples: Rounds<Kind>): Pick<BenchmarkResult, "facts" | "floors"> {
    const counting = rateRatio(samples, "with metrics", "without metrics");
    const scraped = rateRatio(samples, "with metrics, scraped", "with metrics");
    // Noise may make a scrape look like a gain.
    const scrapeSeconds = Math.max(0, 1 - scraped) * SECONDS;
    const both = counting * (1 - scrapeSeconds / SCRAPE_INTERVAL_SECONDS);
    const description = `requests/s, scraped every ${SCRAPE_INTERVAL_SECONDS} s, ≥ ${MIN_RATIO} × without metrics`;
    return {
        facts: KINDS.map((kind) =>
            fact(kind, samples[kind], rateRatio(samples, kind, "without metrics")),
        ),
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
