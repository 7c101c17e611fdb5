import {
    ARMS,
    armOf,
    blockOf,
    BLOCKS,
    METRICS,
    RESPONSE_TIME_BUCKETS,
    type Arm,
    type CacheMode,
    type Experiment,
    type Parameter,
} from "@property-search/contract";
import type { Registry } from "prom-client";

import type { Item, ResolvedItem } from "../cache/item.ts";
import { createFamilies, type CounterSeries, type HistogramSeries } from "../metrics/families.ts";

/** Assigns texts to the arms of experiments, and counts what becomes of them. */
export interface Experiments {
    /** How long a new entry is fresh. */
    readonly ttlSecondsOf: (key: string) => number;
    /** Cache mode of texts in requests that name none. Undefined: no experiment varies it. */
    readonly cacheModeOf: ((key: string) => CacheMode) | undefined;
    /**
     * Counts the items of a client's request.
     *
     * @param receivedAt in milliseconds of `performance.now()`
     */
    readonly record: (
        items: readonly Item[],
        resolved: readonly ResolvedItem[],
        receivedAt: number,
    ) => void;
}

/** The longest time for which a new entry may be fresh, in any arm. */
export function longestTtlSeconds(ttlSeconds: number, experiments: readonly Experiment[]): number {
    const all = experiments.filter(({ parameter }) => parameter === "cacheTtlSeconds");
    return Math.max(ttlSeconds, ...all.flatMap((one) => ARMS.map((arm) => Number(one[arm]))));
}

/** @param ttlSeconds without an experiment, for an entry that is written now */
export function createExperiments(
    experiments: readonly Experiment[],
    ttlSeconds: () => number,
    registry: Registry,
): Experiments {
    const recorders = experiments.length > 0 ? createRecorders(experiments, registry) : [];
    // Each parameter is varied by one experiment at most.
    const find = (parameter: Parameter): Experiment | undefined =>
        experiments.find((one) => one.parameter === parameter);
    const [ttl, mode] = [find("cacheTtlSeconds"), find("cacheMode")];
    return {
        ttlSecondsOf: (key) => (ttl ? Number(valueOf(ttl, key)) : ttlSeconds()),
        cacheModeOf: mode && ((key) => valueOf(mode, key) as CacheMode),
        record: (items, resolved, receivedAt) => {
            for (const record of recorders) record(items, resolved, receivedAt);
        },
    };
}

function valueOf(experiment: Experiment, key: string): Experiment[Arm] {
    return experiment[armOf(experiment, blockOf(experiment.salt, key))];
}

interface BlockCounts {
    readonly hits: CounterSeries;
    readonly misses: CounterSeries;
    readonly tokens: CounterSeries;
    /** Of its arm. */
    readonly semantic: CounterSeries;
    readonly times: HistogramSeries;
}

function createRecorders(
    experiments: readonly Experiment[],
    registry: Registry,
): readonly Experiments["record"][] {
    const { counter, histogram } = createFamilies(registry);
    const lookups = counter(METRICS.experimentLookups, "Items in experiments");
    const tokens = counter(METRICS.experimentTokens, "Tokens billed for items in experiments");
    const semantic = counter(METRICS.experimentSemantic, "Semantic answers in experiments");
    const times = histogram(
        METRICS.experimentTime,
        "Seconds of requests with one item in an experiment",
        RESPONSE_TIME_BUCKETS,
    );
    return experiments.map((experiment) => {
        const blocks = Array.from({ length: BLOCKS }, (_, block): BlockCounts => {
            const arm = { experiment: experiment.name, arm: armOf(experiment, block) };
            const labels = { ...arm, block };
            return {
                hits: lookups.series({ ...labels, result: "hit" }),
                misses: lookups.series({ ...labels, result: "miss" }),
                tokens: tokens.series(labels),
                semantic: semantic.series(arm),
                times: times.series(arm),
            };
        });
        return (items, resolved, receivedAt) => {
            for (let at = 0; at < items.length; at += 1) {
                const { key = "" } = items[at] ?? {};
                const counts = blocks[blockOf(experiment.salt, key)];
                const item = resolved[at];
                if (!counts || !item) continue;
                if (item.status === "MISS") {
                    counts.misses.value += 1;
                    counts.tokens.value += item.embedding.tokens;
                } else counts.hits.value += 1;
                if (item.status === "SEMANTIC") counts.semantic.value += 1;
                if (items.length === 1)
                    counts.times.observe((performance.now() - receivedAt) / 1000);
            }
        };
    });
}
