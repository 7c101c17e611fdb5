import { CACHE_STATUSES, REQUEST_PURPOSES, type CacheStatus } from "@property-search/contract";
import type { Labels } from "../prometheus/client.ts";
import type { Growth } from "../prometheus/counters.ts";
import type { Buckets } from "./quantile.ts";
import type { ByTier, Figure } from "./report.ts";

/** Value of the `result` label of a tier: `HIT-L1` is `hit_l1`. */
export const resultOf = (tier: CacheStatus): string => tier.toLowerCase().replaceAll("-", "_");

/** The one status that needs an upstream call; all others are hits. */
export const MISS = "MISS" satisfies CacheStatus;
export const HIT_TIERS = CACHE_STATUSES.filter((tier) => tier !== MISS);

/** Whether upstream calls for a purpose would be needed without a cache, too. */
export const isForRequests = (purpose: string): boolean =>
    (REQUEST_PURPOSES as readonly string[]).includes(purpose);

export type Totals = ReturnType<typeof createTotals>;

/** Sums over the growth of counters. A sum without any series is null: not measured. */
export function createTotals(growths: readonly Growth[]) {
    const byName = Map.groupBy(growths, ({ name }) => name);

    function sum(name: string, matches: Labels | ((labels: Labels) => boolean) = {}): Figure {
        const isMatch =
            typeof matches === "function"
                ? matches
                : (labels: Labels) =>
                      Object.entries(matches).every(([label, value]) => labels[label] === value);
        const found = (byName.get(name) ?? []).filter(({ labels }) => isMatch(labels));
        return found.length === 0 ? null : found.reduce((all, { value }) => all + value, 0);
    }

    return {
        sum,
        byTier: (name: string, tiers: readonly CacheStatus[], labels: Labels = {}): ByTier =>
            Object.fromEntries(
                tiers.map((tier) => [tier, sum(name, { ...labels, result: resultOf(tier) })]),
            ),
        buckets: (name: string, isMatch: (labels: Labels) => boolean): Buckets => {
            const counts = new Map<number, number>();
            for (const { labels, value } of byName.get(`${name}_bucket`) ?? []) {
                if (!isMatch(labels)) continue;
                const bound = parseBound(labels.le);
                counts.set(bound, (counts.get(bound) ?? 0) + value);
            }
            return [...counts];
        },
        values: (name: string, label: string): readonly string[] => [
            ...new Set((byName.get(name) ?? []).flatMap(({ labels }) => labels[label] ?? [])),
        ],
    };
}

export const parseBound = (le = ""): number => (le === "+Inf" ? Infinity : Number(le));

/** Null if any of them is: a sum with an unknown part is unknown. */
export function add(...figures: readonly (Figure | undefined)[]): Figure {
    return figures.reduce<Figure>(
        (all, one) => (all === null || one === null || one === undefined ? null : all + one),
        0,
    );
}

/** Sum of those that are measured; null if none is. For tiers, of which a version may not have all. */
export function addMeasured(figures: readonly (Figure | undefined)[]): Figure {
    const known = figures.filter((one) => typeof one === "number");
    return known.length === 0 ? null : known.reduce((all, one) => all + one, 0);
}

export const negate = (figure: Figure): Figure => (figure === null ? null : -figure);

/** Null without a denominator. */
export const ratio = (part: Figure, whole: Figure): Figure =>
    part === null || whole === null || whole <= 0 ? null : part / whole;
