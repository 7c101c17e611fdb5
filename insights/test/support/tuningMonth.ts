import { GHOST_TTLS_SECONDS } from "@property-search/contract";
import { decide, dayOf } from "../../src/tuning/decide.ts";
import type { TtlEvidence } from "../../src/tuning/evidence.ts";
import { emptyRecord, type Decision } from "../../src/tuning/record.ts";
import { simulateCache, type NetByDay, type SimulationOptions } from "./cacheSimulation.ts";
import { applyValues, configuredSettings } from "./settings.ts";
import { createTrace, DAY_SECONDS } from "./trace.ts";

/** Midnight of a Monday, at which the month begins. */
export const BEGIN = Date.parse("2026-11-02T00:00:00Z");
const WARM_UP_DAYS = 14;
const DAYS = 30;
const FLASH_CROWD_DAY = 10;
const PRICE_CHANGE_DAY = 18;
/** Dollars of a fetch before and after the price changes, and how long entries are kept after their lifetime. */
export interface Scenario {
    readonly perFetch: { readonly before: number; readonly after: number };
    readonly staleSeconds: number;
    /** The stack's lifetime of entries. */
    readonly configuredTtl: number;
}

/** Texts of 200 tokens, at $0.13 per million tokens and then at $0.10. */
const PER_FETCH = { before: 2.6e-5, after: 2e-5 };
export const TOO_SHORT: Scenario = {
    perFetch: PER_FETCH,
    staleSeconds: DAY_SECONDS,
    configuredTtl: DAY_SECONDS,
};
/** Part of the savings to date that a step to a shorter lifetime may cost before it saves: docs/insights.md. */
export const MAX_DIP = 0.005;
export const TOO_LONG: Scenario = { ...TOO_SHORT, configuredTtl: 7 * DAY_SECONDS };
/** The price is halved, so that the lifetime must first grow and then shrink. */
export const REVERSED: Scenario = {
    perFetch: { before: 4e-5, after: 1e-5 },
    staleSeconds: DAY_SECONDS,
    configuredTtl: 2 * DAY_SECONDS,
};
/** An entry of 6.2 kB in Redis at $0.02 per GiB and hour. */
const PER_ENTRY_SECOND = (6_200 / 2 ** 30) * (0.02 / 3_600);

export interface Month {
    /** Cumulated at the end of each day. */
    readonly tuned: NetByDay;
    readonly configured: NetByDay;
    /** Of the whole month. */
    readonly best: { readonly ttl: number; readonly net: number };
    readonly decisions: readonly Decision[];
}

/** A month of requests with a flash crowd, and the prices of a scenario. */
export function createOptions(
    seed: number,
    requestsPerDay: number,
    { perFetch, staleSeconds }: Scenario,
): SimulationOptions {
    const trace = createTrace({
        seed,
        days: WARM_UP_DAYS + DAYS,
        requestsPerDay,
        flashCrowdDay: WARM_UP_DAYS + FLASH_CROWD_DAY,
    });
    return {
        trace,
        warmUpDays: WARM_UP_DAYS,
        staleSeconds,
        pricesOf: (day) => ({
            perFetch: day < PRICE_CHANGE_DAY ? perFetch.before : perFetch.after,
            perEntrySecond: PER_ENTRY_SECOND,
        }),
    };
}

/** A month in which the tuner decides each night, and the same month with each fixed lifetime. */
export function simulateMonth(seed: number, requestsPerDay: number, scenario: Scenario): Month {
    const { configuredTtl } = scenario;
    const options = createOptions(seed, requestsPerDay, scenario);
    const fixed = GHOST_TTLS_SECONDS.map((ttl) => ({
        ttl,
        net: simulateCache(options, () => ttl),
    }));
    const totals = fixed.map(({ ttl, net }) => ({ ttl, net: cumulate(net).at(-1) ?? NaN }));
    const configured = fixed.find(({ ttl }) => ttl === configuredTtl)?.net ?? [];
    const best = totals.reduce((one, other) => (other.net > one.net ? other : one));
    const { net, decisions } = simulateTuned(options, configuredTtl);
    return { tuned: cumulate(net), configured: cumulate(configured), best, decisions };
}

/** @param evidenceOf what the tuner sees of a day; a string: nothing, and why */
export function simulateTuned(
    options: SimulationOptions,
    configuredTtl: number,
    evidenceOf: (evidence: TtlEvidence, day: number) => TtlEvidence | string = (evidence) =>
        evidence,
) {
    let record = emptyRecord(new Date(BEGIN));
    let settings = configuredSettings({
        cacheTtlSeconds: { value: configuredTtl, configured: configuredTtl },
    });
    const net = simulateCache(options, (day, evidence) => {
        // The first decision is made at the end of the first day after the warm-up.
        if (evidence && day > 0) {
            const to = BEGIN + day * DAY_SECONDS * 1000;
            const seen = evidenceOf(evidence, day);
            const result = decide({
                record,
                settings,
                mode: "automatic",
                now: new Date(to + 60_000),
                day: {
                    day: dayOf(to),
                    from: to - DAY_SECONDS * 1000,
                    to,
                    evidence:
                        typeof seen === "string"
                            ? seen
                            : { cacheTtlSeconds: seen, localCacheMaxEntries: "not simulated" },
                },
            });
            ({ record } = result);
            settings = applyValues(settings, result.values);
        }
        return settings.settings.cacheTtlSeconds.value ?? NaN;
    });
    const decisions = record.decisions.filter(({ setting }) => setting === "cacheTtlSeconds");
    return { net, decisions };
}

export function cumulate(values: readonly number[]): number[] {
    let sum = 0;
    return values.map((value) => (sum += value));
}

/**
 * @param dip part of the default's savings to date by which the tuned ones may be lower meanwhile
 * @returns what is wrong with a month, one sentence each
 */
export function findFailures(
    { tuned, configured, best, decisions }: Month,
    dip = 0,
): readonly string[] {
    const failures: string[] = [];
    const total = tuned.at(-1) ?? NaN;
    if (!(total >= 0.98 * best.net))
        failures.push(
            `net savings of ${total} are below those of the best fixed lifetime (${best.ttl} s): ${best.net}`,
        );
    if (!(total >= (configured.at(-1) ?? NaN)))
        failures.push(`net savings of ${total} are below the default's`);
    if (!decisions.some(({ action }) => action === "change")) failures.push("nothing was changed");
    tuned.forEach((net, day) => {
        const other = configured[day] ?? NaN;
        // Sums in another order differ in their last digits.
        if (!(net >= other * (1 - dip - 1e-9)))
            failures.push(
                `after day ${day}, net savings of ${net} are below the default's ${other}`,
            );
    });
    const days = decisions.filter(({ to }) => to !== null).map(({ day }) => day);
    if (new Set(days).size < days.length) failures.push("two changes were made on one day");
    return failures;
}
