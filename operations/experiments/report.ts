import { ARMS, METRICS, type Arm } from "@property-search/contract";
import type { Query } from "../judge/prometheus.ts";
import { parseReadings, type Readings } from "../judge/readings.ts";
import {
    analyze,
    formatPercent,
    formatPoints,
    formatShare,
    milliseconds,
    relative,
    type Analysis,
    type BlockCounts,
    type Counts,
} from "./analysis.ts";

export interface ExperimentOptions {
    readonly name: string;
    /** Duration in Prometheus' notation, such as `14d`: from before the experiment's begin until now. */
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
    const counts = readCounts(await ask("/api/v1/query", { query: countsQuery(options) }));
    return format(options, counts, analyze(counts));
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
        named("lookups", grown(METRICS.experimentLookups, "arm, block, result")),
        named("tokens", grown(METRICS.experimentTokens, "arm, block")),
        named(
            "p99",
            `histogram_quantile(0.99, ${grown(`${METRICS.experimentTime}_bucket`, "arm, le")})`,
        ),
    ].join(" or ");
}

function readCounts(answer: unknown): Counts {
    const readings = parseReadings(answer);
    const blocks = new Map<string, BlockCounts>();
    for (const { labels } of readings.select("lookups")) {
        const { arm, block } = labels as { arm: Arm; block: string };
        const of = { arm, block };
        blocks.set(`${arm} ${block}`, {
            arm,
            hits: readings.value("lookups", { ...of, result: "hit" }) ?? 0,
            misses: readings.value("lookups", { ...of, result: "miss" }) ?? 0,
            tokens: readings.value("tokens", of) ?? 0,
        });
    }
    // Without requests in the window, a quantile is NaN: unknown.
    const p99 = (arm: Arm) => {
        const seconds = readings.value("p99", { arm });
        return seconds === undefined || Number.isNaN(seconds) ? undefined : seconds;
    };
    return {
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
    { blocks, p99, semantic }: Counts,
    { verdict, lookups, sampleRatioT, hitRate, tokensPerBlock }: Analysis,
): readonly string[] {
    if (blocks.length === 0) {
        return [
            `Prometheus has no lookups of experiment "${name}" in the last ${window}. Is it in service.experiments of the stack, and does the service have requests?`,
        ];
    }
    const arms = (of: (arm: Arm) => string) => ARMS.map((arm) => `${arm} ${of(arm)}`).join(", ");
    const tokens = tokensPerBlock && relative(tokensPerBlock);
    const lines = [
        `Experiment ${name}, last ${window}`,
        `  lookups       ${arms((arm) => String(Math.round(lookups[arm])))}`,
        `  sample ratio  t = ${Number.isNaN(sampleRatioT) ? "unknown" : sampleRatioT.toFixed(1)}`,
        hitRate &&
            `  hit rate      ${arms((arm) => formatShare(hitRate.means[arm]))}; difference ${formatPoints(hitRate.estimate)} (${formatPoints(hitRate.low)} to ${formatPoints(hitRate.high)})`,
        tokens &&
            `  tokens bought ${formatPercent(tokens.estimate)} (${formatPercent(tokens.low)} to ${formatPercent(tokens.high)})`,
        `  p99           ${arms((arm) => (p99[arm] === undefined ? "unknown" : milliseconds(p99[arm])))}`,
        semantic &&
            `  semantic      ${arms((arm) => `${Math.round(semantic.answers[arm])} answers`)}; error bound ${semantic.errorBound === undefined ? "unknown" : formatShare(semantic.errorBound)}, budget ${formatShare(semantic.errorBudget)}`,
        `  The intervals hold at every look with a probability of 95 %.`,
        verdict,
    ];
    return lines.filter((line) => line !== undefined);
}
