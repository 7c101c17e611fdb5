import {
    ARMS,
    METRICS,
    UNITS,
    type Arm,
    type FeedbackVerdict,
    type OutsideReason,
    type Unit,
} from "@property-search/contract";
import type { Query } from "../judge/prometheus.ts";
import { parseReadings, type Readings } from "../judge/readings.ts";
import {
    analyze,
    formatPercent,
    formatPoints,
    formatShare,
    lookupsOf,
    milliseconds,
    relative,
    type Analysis,
    type BlockCounts,
    type Counts,
} from "./analysis.ts";
import type { Difference } from "./difference.ts";

export interface ExperimentOptions {
    readonly name: string;
    /** Duration in Prometheus' notation, such as `14d`: from before the experiment's start until now. */
    readonly window: string;
}

/**
 * Reads an experiment's counters from Prometheus and analyses them.
 *
 * @returns the lines of the report
 * @throws InconclusiveError if Prometheus rejects the query
 */
export async function reportExperiment(
    ask: Query,
    options: ExperimentOptions,
): Promise<readonly string[]> {
    const readings = parseReadings(await ask("/api/v1/query", { query: countsQuery(options) }));
    const units = unitsOf(readings);
    const [unit] = units;
    const { name, window } = options;
    if (unit === undefined) {
        return [
            `Prometheus has no lookups of experiment "${name}" in the last ${window}. Is it in service.experiments of the stack, and does the service have requests?`,
            ...formatOutside(readOutside(readings)),
        ];
    }
    if (units.length > 1) {
        return [
            `Experiment "${name}" had the units ${units.join(" and ")} in the last ${window}, whose arms cannot be compared; allowed: a window since the change, or another name for the experiment`,
        ];
    }
    const counts = readCounts(unit, readings);
    return format(options, counts, analyze(counts), readOutside(readings));
}

function countsQuery({ name, window }: ExperimentOptions): string {
    const grown = (metric: string, by: string) =>
        `sum by (${by}) (increase(${metric}{experiment="${name}"}[${window}]))`;
    const named = (figure: string, query: string) =>
        `label_replace(${query}, "figure", "${figure}", "", "")`;
    const serving = `${METRICS.semanticErrorBound} and (${METRICS.semanticServing} == 1)`;
    return [
        named("semantic", grown(METRICS.experimentSemantic, "arm")),
        named("error bound", `max(${serving})`),
        named("error budget", `max(${METRICS.semanticErrorBudget})`),
        named("exhausted", `sum(${METRICS.semanticExhausted})`),
        named("lookups", grown(METRICS.experimentLookups, "unit, arm, block, result")),
        named("outside", grown(METRICS.experimentOutside, "reason")),
        named("verdicts", grown(METRICS.experimentVerdicts, "arm, block, verdict")),
        named("tokens", grown(METRICS.experimentTokens, "arm, block")),
        named(
            "p99",
            `histogram_quantile(0.99, ${grown(`${METRICS.experimentTime}_bucket`, "arm, le")})`,
        ),
    ].join(" or ");
}

/** Units with lookups in the window; of those without any, the one that is exported. */
function unitsOf(readings: Readings): readonly Unit[] {
    const lookups = readings.select("lookups");
    const having = (some: typeof lookups): readonly Unit[] =>
        UNITS.filter((unit) => some.some(({ labels }) => labels.unit === unit));
    const counted = having(lookups.filter(({ value }) => value > 0));
    return counted.length > 0 ? counted : having(lookups).slice(-1);
}

type Outside = Readonly<Record<OutsideReason, number>>;

function readOutside({ value }: Readings): Outside {
    const count = (reason: OutsideReason): number => value("outside", { reason }) ?? 0;
    return { no_user: count("no_user"), mode_named: count("mode_named") };
}

function readCounts(unit: Unit, readings: Readings): Counts {
    const blocks = new Map<string, BlockCounts>();
    for (const { labels } of readings.select("lookups")) {
        const { arm, block } = labels as { arm: Arm; block: string };
        const of = { arm, block };
        const lookups = (result: string): number =>
            readings.value("lookups", { unit, ...of, result }) ?? 0;
        const verdicts = (verdict: FeedbackVerdict): number =>
            readings.value("verdicts", { ...of, verdict }) ?? 0;
        blocks.set(`${arm} ${block}`, {
            arm,
            hits: lookups("hit"),
            misses: lookups("miss"),
            tokens: readings.value("tokens", of) ?? 0,
            relevant: verdicts("relevant"),
            irrelevant: verdicts("irrelevant"),
        });
    }
    // Without requests in the window, a quantile is NaN: unknown.
    const p99 = (arm: Arm) => {
        const seconds = readings.value("p99", { arm });
        return seconds === undefined || Number.isNaN(seconds) ? undefined : seconds;
    };
    return {
        unit,
        blocks: [...blocks.values()],
        p99: { control: p99("control"), treatment: p99("treatment") },
        semantic: readSemantic(readings),
    };
}

function readSemantic({ value }: Readings): Counts["semantic"] {
    const answers = (arm: Arm): number => value("semantic", { arm }) ?? 0;
    const errorBudget = value("error budget");
    if (errorBudget === undefined || ARMS.every((arm) => answers(arm) === 0)) return undefined;
    return {
        answers: { control: answers("control"), treatment: answers("treatment") },
        errorBound: value("error bound"),
        errorBudget,
        exhausted: value("exhausted") ?? 0,
    };
}

function format(
    { name, window }: ExperimentOptions,
    { unit, blocks, p99, semantic }: Counts,
    { verdict, lookups, sampleRatioT, hitRate, tokens, relevance }: Analysis,
    outside: Outside,
): readonly string[] {
    const arms = (of: (arm: Arm) => string) => ARMS.map((arm) => `${arm} ${of(arm)}`).join(", ");
    const bought = tokens && relative(tokens);
    const isByUser = unit === "user";
    const lines = [
        `Experiment ${name}, last ${window}${isByUser ? ", by user" : ""}`,
        `  lookups       ${arms((arm) => String(Math.round(lookups[arm])))}`,
        ...formatOutside(outside),
        isByUser && `  largest block ${formatShare(largestShare(blocks))} of the lookups`,
        `  sample ratio  t = ${Number.isNaN(sampleRatioT) ? "unknown" : sampleRatioT.toFixed(1)}`,
        relevance && `  relevant      ${formatDifference(relevance)}`,
        hitRate && `  hit rate      ${formatDifference(hitRate)}`,
        bought &&
            `  tokens bought ${formatPercent(bought.estimate)} (${formatPercent(bought.low)} to ${formatPercent(bought.high)})`,
        `  p99           ${arms((arm) => (p99[arm] === undefined ? "unknown" : milliseconds(p99[arm])))}`,
        semantic &&
            `  semantic      ${arms((arm) => `${Math.round(semantic.answers[arm])} answers`)}; error bound ${semantic.errorBound === undefined ? "unknown" : formatShare(semantic.errorBound)}, budget ${formatShare(semantic.errorBudget)}`,
        isByUser &&
            `  Arms of users share entries: hit rates and tokens show that arms differ, not what adoption saves.`,
        `  The intervals hold at every look with a probability of 95 %.`,
        verdict,
    ];
    return lines.filter((line) => typeof line === "string");

    function formatDifference({ means, estimate, low, high }: Difference): string {
        return `${arms((arm) => formatShare(means[arm]))}; difference ${formatPoints(estimate)} (${formatPoints(low)} to ${formatPoints(high)})`;
    }
}

/** Lookups that are in no arm. */
function formatOutside({ no_user: noUser, mode_named: modeNamed }: Outside): readonly string[] {
    const words = [
        ...(noUser > 0 ? [`${Math.round(noUser)} without a user`] : []),
        ...(modeNamed > 0 ? [`${Math.round(modeNamed)} whose mode is named`] : []),
    ];
    return words.length > 0 ? [`  in no arm     ${words.join(", ")}`] : [];
}

/** A client that sends one name for everybody has most lookups in one block. */
function largestShare(blocks: readonly BlockCounts[]): number {
    const lookups = blocks.map(lookupsOf);
    return Math.max(...lookups) / lookups.reduce((all, one) => all + one, 0);
}
