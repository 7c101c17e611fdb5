import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
    CACHE_RESULTS,
    FEEDBACK_SOURCES,
    FEEDBACK_VERDICTS,
    GHOST_GROUPS,
    GHOST_TTLS_SECONDS,
    JOBS,
    METRICS,
    MISS_REASONS,
    PURPOSES,
    RESPONSE_TIME_BUCKETS,
    REUSE_DISTANCE_BUCKETS,
    REUSE_TIME_BUCKETS,
    SAVING_RESULTS,
} from "@property-search/contract";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
    startPrometheus,
    type RealPrometheus,
    type Series,
} from "../../operations/test/support/prometheus.ts";
import type { Report } from "../src/analysis/report.ts";

const MAIN = path.resolve(import.meta.dirname, "../src/main.ts");
const TENANTS = 50;
const PODS = 10;
const SCRAPE_SECONDS = 15;
const BATCH_SECONDS = 300;
const HOURS = 24;
const MAX_MIB = 256;
const END = Math.floor(Date.now() / 60_000) * 60 - 600;
const BEGIN = END - HOURS * 3600;
/** Growth of each counter between two scrapes. */
const RATE = 3;

type Labels = Readonly<Record<string, string>>;

let prometheus: RealPrometheus;
let folder: string;

/** Counters of one pod, with the names, labels and number of those of the service. */
const COUNTERS: readonly Labels[] = [
    ...Array.from({ length: TENANTS }, (_, at) => {
        const labels = { tenant: `tenant-${at}`, model: "all-MiniLM-L6-v2" };
        return [
            ...SAVING_RESULTS.flatMap((result) => [
                { __name__: METRICS.costSaved, ...labels, result },
                { __name__: METRICS.tokensSaved, ...labels, result },
            ]),
            ...PURPOSES.flatMap((purpose) => [
                { __name__: METRICS.costBilled, ...labels, purpose },
                { __name__: METRICS.tokensBilled, ...labels, purpose },
            ]),
            ...["requests", "tokens", "concurrency", "quota"].map((reason) => ({
                __name__: METRICS.rejected,
                tenant: labels.tenant,
                reason,
            })),
            ...FEEDBACK_VERDICTS.flatMap((verdict) =>
                FEEDBACK_SOURCES.map((source) => ({
                    __name__: METRICS.feedback,
                    tenant: labels.tenant,
                    verdict,
                    source,
                })),
            ),
        ];
    }).flat(),
    ...["/embed", "/v1/embeddings"].flatMap((route) =>
        CACHE_RESULTS.flatMap((result) =>
            [...RESPONSE_TIME_BUCKETS, "+Inf"].map((le) => ({
                __name__: `${METRICS.responseTime}_bucket`,
                route,
                result,
                le: String(le),
            })),
        ),
    ),
    ...["/embed", "/v1/embeddings"].flatMap((route) =>
        ["200", "400", "401", "408", "413", "415", "429", "499", "500", "503", "504"].map(
            (code) => ({ __name__: METRICS.requests, route, code }),
        ),
    ),
    ...CACHE_RESULTS.map((result) => ({ __name__: METRICS.lookups, result })),
    ...Array.from({ length: GHOST_GROUPS }, (_, at) => {
        const group = String(at);
        return [
            ...MISS_REASONS.map((reason) => ({ __name__: METRICS.misses, reason, group })),
            ...GHOST_TTLS_SECONDS.map((ttl) => ({
                __name__: METRICS.ghostFetches,
                ttl_seconds: String(ttl),
                group,
            })),
            { __name__: METRICS.ghostFirstRequests, group },
            { __name__: `${METRICS.ghostReuseTime}_count`, group },
            ...[
                { name: METRICS.ghostReuseTime, bounds: REUSE_TIME_BUCKETS },
                { name: METRICS.ghostReuseDistance, bounds: REUSE_DISTANCE_BUCKETS },
            ].flatMap(({ name, bounds }) =>
                [...bounds, "+Inf"].map((le) => ({
                    __name__: `${name}_bucket`,
                    le: String(le),
                    group,
                })),
            ),
        ];
    }).flat(),
    { __name__: METRICS.ghostDropped },
];

beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "budget-"));
    prometheus = await startPrometheus();
    for (let from = BEGIN - BATCH_SECONDS; from < END; from += BATCH_SECONDS) {
        for (const pod of pods) await prometheus.write(seriesOf(pod, from));
    }
}, 1_800_000);

afterAll(async () => {
    await prometheus.stop();
    await rm(folder, { recursive: true });
});

const pods = Array.from({ length: PODS }, (_, at) => {
    const colour = at % 2 === 0 ? "blue" : "green";
    const target = {
        job: JOBS.service,
        instance: `10.0.0.${at}:8001`,
        namespace: `property-search-${colour}`,
        pod: `embedding-service-${colour}-${at}`,
        colour,
        version: "v1.0.0",
    };
    return {
        offsetSeconds: at,
        up: { __name__: "up", ...target },
        start: { __name__: "process_start_time_seconds", ...target },
        counters: COUNTERS.map((labels) => ({ ...labels, ...target })),
    };
});

/** All counters of a pod have the same samples. */
function seriesOf({ offsetSeconds, up, start, counters }: (typeof pods)[number], from: number) {
    const samples = (value: (step: number) => number): Series["samples"] =>
        Array.from({ length: BATCH_SECONDS / SCRAPE_SECONDS }, (_, at) => {
            const seconds = from + offsetSeconds + at * SCRAPE_SECONDS;
            return [seconds, value((seconds - offsetSeconds - BEGIN + 86_400) / SCRAPE_SECONDS)];
        });
    const counts = samples((step) => RATE * step);
    return [
        { labels: up, samples: samples(() => 1) },
        { labels: start, samples: samples(() => BEGIN - 86_400) },
        ...counters.map((labels) => ({ labels, samples: counts })),
    ];
}

test(`24 hours of ${TENANTS} tenants and ${PODS} pods are analysed within ${MAX_MIB} MiB`, async () => {
    const cpuBefore = await readPrometheusCpuSeconds();
    const begin = performance.now();
    const child = spawn(
        process.execPath,
        [
            ...[MAIN, "analyse", "--prometheus", prometheus.url, "--out", folder],
            ...["--hours", String(HOURS), "--end", new Date(END * 1000).toISOString()],
        ],
        { stdio: ["ignore", "ignore", "inherit"] },
    );
    const ended = once(child, "exit") as Promise<[number | null]>;
    let highest = 0;
    let cpuSeconds = 0;
    const watch = async () => {
        while (child.exitCode === null) {
            const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
            const [, kibibytes] = /^VmHWM:\s+(\d+) kB/m.exec(status) ?? [];
            const stat = await readFile(`/proc/${child.pid}/stat`, "utf8").catch(() => "");
            // The fields after the name: user and system time in hundredths of a second.
            const [user = 0, system = 0] =
                stat.split(") ")[1]?.split(" ").slice(11, 13).map(Number) ?? [];
            cpuSeconds = Math.max(cpuSeconds, (user + system) / 100);
            highest = Math.max(highest, Number(kibibytes ?? 0) / 1024);
            await delay(10);
        }
    };
    const [[code]] = await Promise.all([ended, watch()]);
    const seconds = (performance.now() - begin) / 1000;
    const prometheusSeconds = (await readPrometheusCpuSeconds()) - cpuBefore;
    const day = new Date(END * 1000).toISOString().slice(0, 10);
    const report = JSON.parse(
        await readFile(path.join(folder, day, "report.json"), "utf8"),
    ) as Report;
    expect([code, report.completeness.state]).toEqual([0, "complete"]);
    const growth = (RATE * HOURS * 3600) / SCRAPE_SECONDS;
    expect(report.tenants).toHaveLength(TENANTS);
    // The first scrape of a pod in the window may be its baseline.
    const perPod = (report.lookups.byTier.MISS ?? NaN) / PODS;
    expect(Math.abs(perPod - growth)).toBeLessThanOrEqual(RATE);
    console.log(
        `${COUNTERS.length * PODS} series: ${seconds.toFixed(1)} s, ${highest.toFixed(0)} MiB at most; ` +
            `CPU time ${cpuSeconds.toFixed(1)} s, and ${prometheusSeconds.toFixed(1)} s of Prometheus`,
    );
    expect(highest).toBeLessThanOrEqual(MAX_MIB);
});

async function readPrometheusCpuSeconds(): Promise<number> {
    const text = await (await fetch(`${prometheus.url}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
}
