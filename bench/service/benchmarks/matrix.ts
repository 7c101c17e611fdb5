import { openLoop } from "../generators/openLoop.ts";
import { closedLoop } from "../generators/wrk.ts";
import { litellmLocal, litellmRedis } from "../peers/litellm.ts";
import { nginx } from "../peers/nginx.ts";
import { noCache } from "../peers/noCache.ts";
import type { Peer } from "../peers/peer.ts";
import { portkey } from "../peers/portkey.ts";
import { raw } from "../peers/raw/raw.ts";
import { ours, oursFromRedis } from "../peers/service/service.ts";
import { staticNginx } from "../peers/staticNginx.ts";
import type { Encoding } from "../workload.ts";
import { compare, type Comparison } from "./comparison.ts";
import { maxLatency, minRateRatio, type Floor } from "./floors.ts";
import { eventLoopLag } from "./eventLoopLag.ts";
import { metricsCost } from "./metricsCost.ts";
import { misses } from "./misses.ts";
import { mixedBatch } from "./mixedBatch.ts";
import { probes } from "./probes.ts";
import { semanticCost } from "./semanticCost.ts";
import { serverTime } from "./serverTime.ts";
import type { Benchmark } from "./benchmark.ts";

const ENCODINGS: readonly Encoding[] = ["base64", "float"];
const USERS = 1_000;
const RATE = 2_000;

/** The promised throughput relative to node:http, nginx and LiteLLM. */
const VS_RAW = minRateRatio(ours.name, raw.name, 0.7);
const VS_NGINX = minRateRatio(ours.name, nginx.name, 0.45);
const VS_LITELLM = [litellmRedis, litellmLocal].map(({ name }) =>
    minRateRatio(ours.name, name, 200),
);

/** For development: the hot path against node:http, in about a minute. */
export function quickMatrix(): readonly Benchmark[] {
    return ENCODINGS.map((encoding) => hits({ encoding, floors: [VS_RAW], turns: 6 }));
}

/** All benchmarks, in about 24 minutes once the peers are installed. */
export function fullMatrix(): readonly Benchmark[] {
    const withFloors = hitsWithFloors();
    const measured = new Set(withFloors.map(({ id }) => id));
    const rest = hitsInEveryShape().filter(({ id }) => !measured.has(id));
    return [probes, ...withFloors, ...rest, ...ENCODINGS.map(openLoopHits), ...otherBenchmarks()];
}

function hitsWithFloors(): readonly Benchmark[] {
    const others = [nginx, staticNginx, litellmRedis, litellmLocal];
    const floors = [VS_RAW, VS_NGINX, ...VS_LITELLM];
    return [
        hits({ encoding: "base64", peers: [raw, ...others, portkey, noCache], floors, turns: 5 }),
        hits({ encoding: "float", peers: [raw, ...others], floors, turns: 5 }),
        ...ENCODINGS.map((encoding) => hits({ encoding, dimensions: 384, floors: [VS_RAW] })),
        ...ENCODINGS.map((encoding) =>
            hits({
                encoding,
                connections: USERS,
                floors: [maxLatency(ours.name, "p99", 50)],
            }),
        ),
    ];
}

/** All combinations of vector length, encoding, batch size and connections. */
function hitsInEveryShape(): readonly Benchmark[] {
    return [64, USERS].flatMap((connections) =>
        [1, 16, 256].flatMap((items) =>
            [1536, 384].flatMap((dimensions) =>
                ENCODINGS.map((encoding) => hits({ encoding, dimensions, items, connections })),
            ),
        ),
    );
}

function otherBenchmarks(): readonly Benchmark[] {
    return [hitsInRedis(), serverTime, mixedBatch, eventLoopLag, metricsCost, semanticCost, misses];
}

interface Hits {
    readonly encoding: Encoding;
    readonly dimensions?: number;
    readonly items?: number;
    readonly connections?: number;
    readonly peers?: readonly Peer[];
    readonly floors?: readonly Floor[];
    readonly turns?: number;
}

/** Throughput of exact hits in the process. */
function hits(options: Hits): Benchmark {
    const { encoding, dimensions = 1536, items = 1, connections = 64, floors = [] } = options;
    const texts = items === 1 ? "" : `, ${items} texts per request`;
    // A thousand concurrent batches take long on any server.
    const seconds = connections * items > 100_000 ? 8 : connections === USERS ? 3 : 2;
    return compare({
        id: `hits-${dimensions}-${encoding}-${items}-${connections}`,
        title: `hits: ${dimensions} dimensions, ${encoding}${texts}, ${connections} connections`,
        // Few large bodies, so that memory is not the bottleneck of any peer.
        workload: { dimensions, encoding, items, bodies: items === 1 ? 1_024 : 64 },
        connections,
        generator: closedLoop,
        service: ours,
        peers: options.peers ?? [raw, nginx],
        seconds,
        turns: options.turns ?? 3,
        floors,
    });
}

/** Latency when requests arrive at random. */
function openLoopHits(encoding: Encoding): Benchmark {
    return compare({
        ...OPEN_LOOP,
        id: `open-${encoding}`,
        title: `open loop: ${USERS} users, ${RATE} requests/s, ${encoding}`,
        workload: { dimensions: 1536, encoding, items: 1, bodies: 1_024 },
    });
}

const OPEN_LOOP: Omit<Comparison, "id" | "title" | "workload"> = {
    connections: USERS,
    generator: openLoop(RATE),
    service: ours,
    peers: [raw],
    seconds: 4,
    turns: 3,
    floors: [maxLatency(ours.name, "p99", 15)],
};

function hitsInRedis(): Benchmark {
    return compare({
        id: "hits-redis",
        title: "hits in Redis: 1536 dimensions, base64, 64 connections",
        workload: { dimensions: 1536, encoding: "base64", items: 1, bodies: 1_024 },
        connections: 64,
        generator: closedLoop,
        service: oursFromRedis,
        peers: [raw, litellmRedis],
        seconds: 2,
        turns: 3,
        floors: [],
    });
}
