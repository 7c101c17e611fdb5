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
import { contest, type Contest } from "./contest.ts";
import { atLeastTimes, atMostMilliseconds, noneFailed, type Floor } from "./floors.ts";
import { lag } from "./lag.ts";
import { metricsCost } from "./metricsCost.ts";
import { misses } from "./misses.ts";
import { mixedBatch } from "./mixedBatch.ts";
import { probes } from "./probes.ts";
import { serverTime } from "./serverTime.ts";
import type { Trial } from "./trial.ts";

const ENCODINGS: readonly Encoding[] = ["base64", "float"];
const USERS = 1_000;
const RATE = 2_000;

/** The part of the runtime's and of nginx's speed that the service promises to reach. */
const OF_RAW = atLeastTimes(ours.name, raw.name, 0.7);
const OF_NGINX = atLeastTimes(ours.name, nginx.name, 0.45);
const OF_LITELLM = [litellmRedis, litellmLocal].map(({ name }) =>
    atLeastTimes(ours.name, name, 200),
);

/** For development: the hot path beside the runtime's limit, in about a minute. */
export function quickMatrix(): readonly Trial[] {
    return ENCODINGS.map((encoding) => hits({ encoding, floors: [OF_RAW], turns: 6 }));
}

/** Everything that the service is held to, in about twenty-four minutes once the peers are installed. */
export function fullMatrix(): readonly Trial[] {
    const held = heldToFloors();
    const measured = new Set(held.map(({ id }) => id));
    const rest = hitsOfEveryKind().filter(({ id }) => !measured.has(id));
    return [probes, ...held, ...rest, ...ENCODINGS.map(arriving), ...tiers()];
}

function heldToFloors(): readonly Trial[] {
    const others = [nginx, staticNginx, litellmRedis, litellmLocal];
    const floors = [OF_RAW, OF_NGINX, ...OF_LITELLM];
    return [
        hits({ encoding: "base64", peers: [raw, ...others, portkey, noCache], floors, turns: 5 }),
        hits({ encoding: "float", peers: [raw, ...others], floors, turns: 5 }),
        ...ENCODINGS.map((encoding) => hits({ encoding, dimensions: 384, floors: [OF_RAW] })),
        ...ENCODINGS.map((encoding) =>
            hits({
                encoding,
                connections: USERS,
                floors: [atMostMilliseconds(ours.name, "p99", 50)],
            }),
        ),
    ];
}

/** Vector length, encoding, batch size and connections, each with each. */
function hitsOfEveryKind(): readonly Trial[] {
    return [64, USERS].flatMap((connections) =>
        [1, 16, 256].flatMap((items) =>
            [1536, 384].flatMap((dimensions) =>
                ENCODINGS.map((encoding) => hits({ encoding, dimensions, items, connections })),
            ),
        ),
    );
}

function tiers(): readonly Trial[] {
    return [hitsInRedis(), serverTime, mixedBatch, lag, metricsCost, misses];
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

/** Exact hits in the process, as many as can be. */
function hits(options: Hits): Trial {
    const { encoding, dimensions = 1536, items = 1, connections = 64, floors = [] } = options;
    const texts = items === 1 ? "" : `, ${items} texts a request`;
    // A thousand batches under way are a turn's work for anybody.
    const seconds = connections * items > 100_000 ? 8 : connections === USERS ? 3 : 2;
    return contest({
        id: `hits-${dimensions}-${encoding}-${items}-${connections}`,
        title: `hits: ${dimensions} dimensions, ${encoding}${texts}, ${connections} connections`,
        // Few enough of the large ones that nobody's memory is what is measured.
        workload: { dimensions, encoding, items, bodies: items === 1 ? 1_024 : 64 },
        connections,
        generator: closedLoop,
        service: ours,
        peers: options.peers ?? [raw, nginx],
        seconds,
        turns: options.turns ?? 3,
        floors: [...floors, noneFailed(ours.name)],
    });
}

/** What a user waits when requests come as they come. */
function arriving(encoding: Encoding): Trial {
    return contest({
        ...UNDER_USERS,
        id: `open-${encoding}`,
        title: `open loop: ${USERS} users, ${RATE} requests/s, ${encoding}`,
        workload: { dimensions: 1536, encoding, items: 1, bodies: 1_024 },
    });
}

const UNDER_USERS: Omit<Contest, "id" | "title" | "workload"> = {
    connections: USERS,
    generator: openLoop(RATE),
    service: ours,
    peers: [raw],
    seconds: 4,
    turns: 3,
    floors: [atMostMilliseconds(ours.name, "p99", 15), noneFailed(ours.name)],
};

function hitsInRedis(): Trial {
    return contest({
        id: "hits-redis",
        title: "hits in Redis: 1536 dimensions, base64, 64 connections",
        workload: { dimensions: 1536, encoding: "base64", items: 1, bodies: 1_024 },
        connections: 64,
        generator: closedLoop,
        service: oursFromRedis,
        peers: [raw, litellmRedis],
        seconds: 2,
        turns: 3,
        floors: [noneFailed(oursFromRedis.name)],
    });
}
