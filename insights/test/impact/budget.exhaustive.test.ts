import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
    CACHE_RESULTS,
    JOBS,
    METRICS,
    PURPOSES,
    RESPONSE_TIME_BUCKETS,
    SAVING_RESULTS,
} from "@property-search/contract";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
    startPrometheus,
    type RealPrometheus,
    type Series,
} from "../../../operations/test/support/prometheus.ts";
import { freePort } from "../../../app/test/support/redisServer.ts";
import { mergeBins } from "../../src/impact/bin.ts";
import { DAY_SECONDS, formatDay, HOUR_SECONDS, openHourStore } from "../../src/impact/hourStore.ts";
import { readBins } from "../../src/impact/readBins.ts";
import { RANGES, type ImpactView } from "../../src/impact/view.ts";
import { createPrometheus } from "../../src/prometheus/client.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
/** Node's flags in the image. */
const FLAGS =
    readFileSync(path.resolve(MAIN, "../../Dockerfile"), "utf8").match(/(?<=")--[^"]+(?=")/g) ?? [];
const TOKEN = "a-token-of-many-characters";
const TENANTS = 50;
const PODS = 10;
const SCRAPE_SECONDS = 15;
const BATCH_SECONDS = 300;
const DAYS = 365;
const VIEWERS = 20;
const MAX_MIB = 256;
const NOW = Math.floor(Date.now() / 1000);
/** The hours before are in the store. */
const BEGIN = Math.floor(NOW / HOUR_SECONDS) * HOUR_SECONDS - 2 * HOUR_SECONDS;
const RATE = 3;

type Labels = Readonly<Record<string, string>>;

const COUNTERS: readonly Labels[] = [
    ...Array.from({ length: TENANTS }, (_, at) => {
        const labels = { tenant: `tenant-${at}`, model: "all-MiniLM-L6-v2" };
        return [
            ...SAVING_RESULTS.map((result) => ({ __name__: METRICS.costSaved, ...labels, result })),
            ...PURPOSES.map((purpose) => ({ __name__: METRICS.costBilled, ...labels, purpose })),
        ];
    }).flat(),
    ...["/embed", "/v1/embeddings"].flatMap((route) =>
        CACHE_RESULTS.flatMap((result) => [
            ...[...RESPONSE_TIME_BUCKETS, "+Inf"].map((le) => ({
                ...{ __name__: `${METRICS.responseTime}_bucket`, route, result },
                le: String(le),
            })),
            { __name__: `${METRICS.responseTime}_sum`, route, result },
            { __name__: `${METRICS.responseTime}_count`, route, result },
        ]),
    ),
    ...["200", "400", "429", "500", "503"].map((code) => ({
        ...{ __name__: METRICS.requests, route: "/embed", code },
    })),
    ...CACHE_RESULTS.map((result) => ({ __name__: METRICS.lookups, result })),
];

let prometheus: RealPrometheus;
let folder: string;
let server: ChildProcess;
let port: number;

beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "budget-"));
    prometheus = await startPrometheus();
    for (let from = BEGIN; from < NOW; from += BATCH_SECONDS)
        for (let pod = 0; pod < PODS; pod += 1) await prometheus.write(seriesOf(pod, from));
    await fillStore();
    await writeFile(path.join(folder, "token"), TOKEN);
    port = await freePort();
    server = spawn(
        process.execPath,
        [
            ...FLAGS,
            ...[MAIN, "serve", "--prometheus", prometheus.url, "--folder", folder],
            ...["--port", String(port), "--access-token-file", path.join(folder, "token")],
        ],
        { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(server.stdout ?? server, "data");
}, 600_000);

afterAll(async () => {
    server.kill();
    if (server.exitCode === null) await once(server, "exit");
    await prometheus.stop();
    await rm(folder, { recursive: true });
});

/** Samples of all counters of a pod, which are the same. */
function seriesOf(pod: number, from: number): readonly Series[] {
    const colour = pod % 2 === 0 ? "blue" : "green";
    const target = {
        job: JOBS.service,
        instance: `10.0.0.${pod}:8001`,
        namespace: `property-search-${colour}`,
        pod: `embedding-service-${colour}-${pod}`,
        colour,
        version: "v1.0.0",
    };
    const samples = (value: (seconds: number) => number): Series["samples"] =>
        Array.from({ length: BATCH_SECONDS / SCRAPE_SECONDS }, (_, at) => {
            const seconds = from + pod + at * SCRAPE_SECONDS;
            return [seconds, value(seconds)];
        });
    const counts = samples((seconds) => (RATE * (seconds - BEGIN + DAY_SECONDS)) / SCRAPE_SECONDS);
    return [
        { labels: { __name__: "up", ...target }, samples: samples(() => 1) },
        {
            labels: { __name__: "process_start_time_seconds", ...target },
            samples: samples(() => BEGIN - DAY_SECONDS),
        },
        ...["pod", "storage"].map((kind) => ({
            labels: { __name__: METRICS.overheadRate, kind, ...target },
            samples: samples(() => 0.01),
        })),
        ...COUNTERS.map((labels) => ({ labels: { ...labels, ...target }, samples: counts })),
    ];
}

/** An hour that is read from Prometheus, as each hour of a year. */
async function fillStore(): Promise<void> {
    const { bins } = await readBins(createPrometheus({ url: prometheus.url }), {
        window: { from: BEGIN, to: BEGIN + HOUR_SECONDS },
        stepSeconds: HOUR_SECONDS,
        settleSeconds: 300,
    });
    const bin = mergeBins(bins);
    if (!bin) throw new Error("Prometheus has no hour");
    const hours = path.join(folder, "hours");
    await mkdir(hours);
    const first = Math.floor(BEGIN / DAY_SECONDS) * DAY_SECONDS - DAYS * DAY_SECONDS;
    for (let day = first; day < BEGIN; day += DAY_SECONDS) {
        const records = Array.from({ length: 24 }, (_, at) => day + at * HOUR_SECONDS)
            .filter((from) => from < BEGIN)
            .map((from) => ({
                from,
                bin: { ...bin, from, to: from + HOUR_SECONDS },
                events: [],
                gaps: [],
            }));
        const content = {
            schema: "property-search/insights-hours",
            schemaVersion: 1,
            hours: records,
        };
        await writeFile(path.join(hours, `${formatDay(day)}.json`), JSON.stringify(content));
    }
    expect((await openHourStore(hours, () => undefined)).days().length).toBeGreaterThan(DAYS);
}

test(`a year of ${TENANTS} tenants and ${PODS} pods is served to ${VIEWERS} viewers within ${MAX_MIB} MiB`, async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const read = async (range: string): Promise<ImpactView> => {
        const response = await fetch(`http://127.0.0.1:${port}/impact/api/impact?range=${range}`, {
            headers,
        });
        expect(response.status).toBe(200);
        return (await response.json()) as ImpactView;
    };
    const lines: string[] = [];
    const measure = async (name: string, range: string): Promise<void> => {
        const begin = performance.now();
        const view = await read(range);
        lines.push(`${name}: ${(performance.now() - begin).toFixed(0)} ms`);
        expect(view.queries.total).toBeGreaterThan(0);
    };
    // Nothing is known of the last hours yet.
    await measure("cold 1h", "1h");
    for (const range of Object.keys(RANGES)) await measure(range, range);
    // Until the hours of the last day are read by the minute.
    while ((await read("24h")).isLoading) await delay(500);
    for (let round = 0; round < 3; round += 1) {
        // The next reading of Prometheus, whose scrapes are 15 s apart.
        await delay(15_000);
        await measure("refreshed 1h", "1h");
    }
    const queriesBefore = await countQueries();
    for (let round = 0; round < 5; round += 1)
        await Promise.all(Array.from({ length: VIEWERS }, () => read("30d")));
    const queries = (await countQueries()) - queriesBefore;
    const status = await readFile(`/proc/${server.pid}/status`, "utf8");
    const highest = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
    console.log(
        `${lines.join(", ")}; ${highest.toFixed(0)} MiB at most; ${queries} queries for ${5 * VIEWERS} views`,
    );
    expect(highest).toBeLessThanOrEqual(MAX_MIB);
    // All viewers share a reading; a few may begin while they look.
    expect(queries).toBeLessThan(5 * VIEWERS);
}, 300_000);

async function countQueries(): Promise<number> {
    const text = await (await fetch(`${prometheus.url}/metrics`)).text();
    const counts = text.matchAll(
        /^prometheus_http_requests_total\{code="200",handler="\/api\/v1\/query(?:_range)?"\} (\S+)/gm,
    );
    return [...counts].reduce((all, [, count]) => all + Number(count), 0);
}
