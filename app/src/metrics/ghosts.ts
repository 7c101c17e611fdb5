import {
    GHOST_GROUPS,
    GHOST_TTLS_SECONDS,
    METRICS,
    MISS_REASONS,
    REUSE_DISTANCE_BUCKETS,
    REUSE_TIME_BUCKETS,
} from "@property-search/contract";
import type { Registry } from "prom-client";

import type { GhostEvents, GhostState } from "../ghosts/ghosts.ts";
import { KEYS_PER_SAMPLE } from "../ghosts/sample.ts";
import { createFamilies, mapKeys } from "./families.ts";

/** Counted for requests that no local cache would answer, so that the sum stays finite. */
const BEYOND_ALL_BUCKETS = 2 * (REUSE_DISTANCE_BUCKETS.at(-1) ?? NaN);

export function createGhostMetrics(registry: Registry): GhostEvents {
    const { counter, gauge, histogram } = createFamilies(registry);
    const misses = counter(METRICS.misses, "Misses by reason, estimated from sampled keys");
    const reuses = histogram(
        METRICS.ghostReuseTime,
        "Seconds since the last request for the key in any pod, estimated from sampled keys",
        REUSE_TIME_BUCKETS,
    );
    const firsts = counter(
        METRICS.ghostFirstRequests,
        "Requests for keys without an earlier request, estimated from sampled keys",
    );
    const fetches = counter(
        METRICS.ghostFetches,
        "Fetches that entries of this lifetime would need, estimated from sampled keys",
    );
    const distances = histogram(
        METRICS.ghostReuseDistance,
        "Entries that a local cache needs for a hit, estimated from sampled keys",
        REUSE_DISTANCE_BUCKETS,
    );
    const dropped = counter(
        METRICS.ghostDropped,
        "Requests whose history is unknown, estimated from sampled keys",
    ).series();
    const groups = Array.from({ length: GHOST_GROUPS }, (_, group) => ({
        misses: mapKeys(MISS_REASONS, (reason) => misses.series({ reason, group })),
        reuses: reuses.series({ group }),
        firsts: firsts.series({ group }),
        fetches: GHOST_TTLS_SECONDS.map((ttl) => fetches.series({ ttl_seconds: ttl, group })),
        distances: distances.series({ group }),
    }));

    function registerGauges(read: () => GhostState): void {
        gauge(METRICS.ghostSamplingRatio, "Share of the keys that is sampled", () => [
            [{ ghost: "reuse_time" }, read().ratio],
            [{ ghost: "reuse_distance" }, 1 / KEYS_PER_SAMPLE],
        ]);
        gauge(METRICS.ghostMemory, "Seconds back to which all requests are known", () => {
            const { memorySeconds } = read();
            return memorySeconds === undefined ? [] : [[{}, memorySeconds]];
        });
    }

    return {
        onMiss: (group, reason, count) => {
            const series = groups[group]?.misses[reason];
            if (series) series.value += count;
        },
        onReuse: (group, seconds, count) => groups[group]?.reuses.observe(seconds, count),
        onFirstRequest: (group, count) => {
            const series = groups[group]?.firsts;
            if (series) series.value += count;
        },
        onFetches: (group, needsFetch, count) => {
            groups[group]?.fetches.forEach((series, place) => {
                if (needsFetch[place] === true) series.value += count;
            });
        },
        onDistance: (group, entries) =>
            groups[group]?.distances.observe(
                Math.min(entries, BEYOND_ALL_BUCKETS),
                KEYS_PER_SAMPLE,
            ),
        onDropped: (count) => {
            dropped.value += count;
        },
        onState: registerGauges,
    };
}
