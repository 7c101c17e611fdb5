import { failuresOf, format, type Judged } from "../objectives.ts";
import type { LoadReport, PhaseResult } from "../run.ts";

/** The result for a terminal of 80 columns. */
export function formatReport(report: LoadReport): string {
    const { scenario, verdict, interrupted, judged } = report;
    const state = interrupted ? ", interrupted" : "";
    return [
        ...report.phases.flatMap(formatPhase),
        "",
        `${scenario}: ${verdict}${state}`,
        ...judged.map(formatJudged),
    ].join("\n");
}

function formatJudged({ goal, measured, verdict }: Judged): string {
    return `  ${verdict.toUpperCase().padEnd(13)} ${goal}: ${measured}`;
}

function formatPhase({ name, workload, summary, fault }: PhaseResult): string[] {
    const rows = Object.entries(summary.routes).map(([route, one]) => [
        route,
        ...[one.answered, one.failed].map(format),
        ...[one.latency.p50, one.latency.p95, one.latency.p99, one.latency.max].map(format),
        one.hits > 0 ? format(one.cached.p99) : "–",
    ]);
    const headings = ["route", "answered", "failed", "p50 ms", "p95", "p99", "max", "p99 of hits"];
    const widths = headings.map((heading, at) =>
        Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
    );
    const aligned = [headings, ...rows].map((row) =>
        row
            .map((cell, at) =>
                at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
            )
            .join("  "),
    );
    const peak = `at the same time: at most ${format(summary.peakUsers)} users connected, ${format(summary.peakOpen)} requests in progress`;
    return [
        `${name}: ${workload}`,
        ...aligned,
        peak,
        ...failuresOf(summary),
        ...(fault ? [fault] : []),
    ].map((line, at) => (at === 0 ? line : `  ${line}`));
}
