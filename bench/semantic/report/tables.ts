import type { AdversarialResult, ParaphraseResult } from "../adversarial.ts";
import { INTERPOLATION, STATIC, VCACHE } from "../methods.ts";
import { MAIN_BUDGET, MAIN_COSINE } from "../plan.ts";
import type { Summary } from "../runTask.ts";
import type { Estimate } from "../statistics.ts";

/**
 * The threshold with the most answers, or the most hits, among those with a realised error of at most δ,
 * chosen after the fact with the same seeds: better than any threshold that can be chosen beforehand.
 */
export function bestStatic(
    rows: readonly Summary[],
    measure: "served" | "hits" = "served",
): Summary | undefined {
    return rows
        .filter(({ method }) => method.startsWith(STATIC))
        .filter(({ errorPerHit }) => errorPerHit.mean <= MAIN_BUDGET)
        .toSorted((a, b) => b[measure].mean - a[measure].mean)[0];
}

/** Rows of the comparison, by workload. */
export function groupByWorkload(all: readonly Summary[]): ReadonlyMap<string, readonly Summary[]> {
    return Map.groupBy(all, ({ set, model, stream }) => `${set}, ${model}, ${stream}`);
}

export function isMain({ budget, rho }: Summary): boolean {
    return budget === MAIN_BUDGET && rho === String(MAIN_COSINE);
}

/** A table of each workload: methods, answers per request, error, hits and calls saved. */
export function comparisonTables(all: readonly Summary[]): string {
    const head = ["method", "answers", "wrong", "hits", "gain"];
    return [...groupByWorkload(all.filter(isMain))]
        .map(([workload, group]) => {
            const statics = [bestStatic(group), bestStatic(group, "hits")];
            const shown = group.filter(
                (row) => !row.method.startsWith(STATIC) || statics.includes(row),
            );
            const rows = shown.map((row) => [
                row.method,
                interval(row.served),
                interval(row.errorPerHit),
                interval(row.hits),
                interval(row.gain),
            ]);
            return `### ${workload}\n\n${table(head, rows)}`;
        })
        .join("\n\n");
}

/** Realised error of interpolation at each δ, and what its bounds say at the end. */
export function budgetTables(all: readonly Summary[]): string {
    const head = ["δ", "answers", "wrong", "bounds at the end", "bounds exceeded"];
    const own = all.filter(({ method, rho }) => method === INTERPOLATION && rho !== "calibrated");
    return [...groupByWorkload(own)]
        .map(([workload, group]) => {
            const rows = group
                .toSorted((a, b) => a.budget - b.budget)
                .map((row) => [
                    share(row.budget),
                    interval(row.served),
                    interval(row.errorPerHit),
                    `${interval(row.bounds?.answers)} / ${interval(row.bounds?.served)}`,
                    `${row.boundFailures?.answers ?? 0} / ${row.boundFailures?.served ?? 0} of ${row.seeds.count}`,
                ]);
            return `### ${workload}\n\n${table(head, rows)}`;
        })
        .join("\n\n");
}

/** Quality of the answers at the main δ. */
export function qualityTable(all: readonly Summary[]): string {
    const own = all.filter(
        ({ method, budget }) => method === INTERPOLATION && budget === MAIN_BUDGET,
    );
    const rows = own.map((row) => [
        `${row.set}, ${row.model}, ${row.stream}`,
        row.rho === "calibrated" ? `${decimals(row.minCosine)} (calibrated)` : row.rho,
        `${interval(row.served)}, wrong ${interval(row.errorPerHit)}`,
        [row.loss.mean, row.loss.p5, row.loss.p1].map((loss) => decimals(loss)).join(" / "),
        `${decimals(row.overlap.mean)} (${decimals(row.overlap.low)}–${decimals(row.overlap.high)})`,
    ]);
    return table(["workload", "ρ", "answers", "1 − r: mean / p5 / p1", "overlap@10"], rows);
}

/** Ratios that the issue sets floors for. */
export function floorTable(all: readonly Summary[]): string {
    const rows = [...groupByWorkload(all.filter(isMain))].map(([workload, group]) => {
        const own = group.find(({ method }) => method === INTERPOLATION);
        const ratio = (measure: "servedOrAudited" | "hits", other: Summary | undefined): string => {
            const [mine, theirs] = [own?.[measure].mean ?? NaN, other?.[measure].mean ?? NaN];
            return theirs > 0 ? `${(mine / theirs).toFixed(1)} ×` : "other has none";
        };
        const vcache = group.find(({ method }) => method === VCACHE);
        return [
            workload,
            ratio("hits", bestStatic(group, "hits")),
            ratio("servedOrAudited", bestStatic(group)),
            ratio("hits", vcache),
            own ? `${interval(own.gain)}; ${decimals(own.paidBeforeFirst.mean, 0)}` : "–",
        ];
    });
    const head = [
        "workload",
        "hits / best static",
        "answers and audited texts / best static",
        "hits / vCache",
        "gain; texts paid before the first answer",
    ];
    return table(head, rows);
}

/** Share of pairs with the same meaning that a veto separates. */
export function paraphraseTable(results: readonly ParaphraseResult[]): string {
    const rows = results.map(({ name, vetoed, pairs, examples }) => [
        name,
        `${vetoed} of ${pairs} (${share(vetoed / pairs)})`,
        examples.map(([a, b]) => `“${a}” / “${b}”`).join("; ") || "–",
    ]);
    return table(["pairs", "vetoed", "examples"], rows);
}

export function adversarialTable(results: readonly AdversarialResult[]): string {
    const rows = results.map(({ kind, vetoed, pairs, passed }) => [
        kind,
        `${vetoed} of ${pairs}`,
        passed.map(([a, b]) => `“${a}” / “${b}”`).join("; ") || "–",
    ]);
    return table(["kind", "vetoed", "left to the gate"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const format = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    return [format(head), format(head.map(() => "---")), ...rows.map(format)].join("\n");
}

/** A result without answers has no value; stored as JSON it is null. */
function decimals(value: number, digits = 3): string {
    return Number.isFinite(value) ? value.toFixed(digits) : "–";
}

function share(value: number): string {
    return Number.isFinite(value) ? `${(value * 100).toFixed(2)} %` : "–";
}

function interval(estimate: Estimate | undefined): string {
    if (!estimate) return "–";
    const { mean, low, high } = estimate;
    if (!Number.isFinite(mean)) return "–";
    if (!Number.isFinite(low)) return share(mean);
    return `${(mean * 100).toFixed(2)} % (${(low * 100).toFixed(2)}–${(high * 100).toFixed(2)})`;
}
