import { escape } from "../../shared/svg.ts";
import type { Second } from "../generator.ts";
import { format, type Judged } from "../objectives.ts";
import type { LoadReport, PhaseResult } from "../run.ts";
import { CACHED_MILLISECONDS } from "../scenarios.ts";
import { plotLines, type Line } from "./plot.ts";

const STYLE = `
:root { color-scheme: light dark; font-family: system-ui, sans-serif }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.45 }
table { border-collapse: collapse; margin: .5rem 0 1rem }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.met { color: #1a7f37 } .not-met { color: #cf222e; font-weight: 600 } .unknown { color: #9a6700 }
@media (prefers-color-scheme: dark) { .met { color: #3fb950 } .not-met { color: #ff7b72 } .unknown { color: #d29922 } }
svg { width: 100%; height: auto; margin: .5rem 0 }
.fault { border-left: 4px solid #cf222e; padding-left: .75rem }
`;

/** A page without anything from elsewhere. @param body HTML */
export function renderPage(title: string, body: readonly string[]): string {
    return `${[
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        `<title>${escape(title)}</title><style>${STYLE}</style></head><body>`,
        ...body,
        "</body></html>",
    ].join("\n")}\n`;
}

/** A verdict in its colour. */
export function renderVerdict(verdict: string): string {
    const kind = verdict === "met" ? "met" : verdict === "not met" ? "not-met" : "unknown";
    return `<span class="${kind}">${escape(verdict)}</span>`;
}

export function renderTable(
    headings: readonly string[],
    rows: readonly (readonly string[])[],
    isNumber: (column: number) => boolean = () => false,
): string {
    const cells = (tag: string, row: readonly string[]) =>
        row
            .map((cell, at) => `<${tag}${isNumber(at) ? ' class="number"' : ""}>${cell}</${tag}>`)
            .join("");
    return [
        `<table><thead><tr>${cells("th", headings)}</tr></thead><tbody>`,
        ...rows.map((row) => `<tr>${cells("td", row)}</tr>`),
        "</tbody></table>",
    ].join("\n");
}

/** The report of a load test. */
export function renderReport(report: LoadReport): string {
    const { scenario, description, machine, url, begun, commit, settings } = report;
    const end = report.interrupted ? " Interrupted: the figures are of the time until then." : "";
    return renderPage(`Load: ${scenario}`, [
        `<h1>Load: ${escape(scenario)} – ${renderVerdict(report.verdict)}</h1>`,
        `<p>${escape(description)}.${end}</p>`,
        `<p>${escape(url)}, ${escape(begun)}, commit ${escape(commit)}; ${machine.cores} × ${escape(machine.processor)}, ` +
            `${machine.memoryGiB} GiB, Linux ${escape(machine.kernel)}; seed ${settings.seed}.</p>`,
        renderGoals(report.judged),
        ...report.phases.flatMap(renderPhase),
        "<p>A latency counts from the time at which the request was due. “From sent” is what a closed loop would report.</p>",
    ]);
}

function renderGoals(judged: readonly Judged[]): string {
    if (judged.length === 0) return "";
    return renderTable(
        ["goal", "measured", "verdict"],
        judged.map(({ goal, measured, verdict }) => [
            escape(goal),
            escape(measured),
            renderVerdict(verdict),
        ]),
    );
}

function renderPhase(phase: PhaseResult): string[] {
    const { name, workload, summary, seconds, scheduled, fault } = phase;
    const { lag, cpuSeconds } = summary;
    const routes = Object.entries(summary.routes);
    const failures = routes.flatMap(([route, one]) =>
        Object.entries(one.failures).map(([reason, count]) => [route, reason, format(count)]),
    );
    return [
        `<h2>${escape(name)}</h2><p>${escape(workload)}.</p>`,
        ...(fault === undefined ? [] : [`<p class="fault">${escape(fault)}.</p>`]),
        renderTable(
            [
                "route",
                "answered",
                "failed",
                "p50 ms",
                "p95 ms",
                "p99 ms",
                "max ms",
                "p99 of hits",
                "p99 from sent",
            ],
            routes.map(([route, one]) => [
                escape(route),
                ...[one.answered, one.failed].map(format),
                ...[one.latency.p50, one.latency.p95, one.latency.p99, one.latency.max].map(format),
                one.hits > 0 ? format(one.cached.p99) : "–",
                format(one.service.p99),
            ]),
            (column) => column > 0,
        ),
        ...(failures.length > 0 ? [renderTable(["route", "failure", "requests"], failures)] : []),
        `<p>${format(summary.sent)} of ${format(scheduled)} requests sent in ${format(summary.seconds)} s. At the same time: at most ` +
            `${format(summary.peakUsers)} users connected and ${format(summary.peakOpen)} requests in progress. Generator: lag p99 ` +
            `${format(lag.p99)} ms, at most ${format(lag.max)} ms; ${format(cpuSeconds / summary.seconds)} of a core.</p>`,
        ...renderPlots(phase, seconds),
    ];
}

function renderPlots({ summary }: PhaseResult, seconds: readonly Second[]): string[] {
    const routes = Object.keys(summary.routes).sort();
    const over = (valueOf: (second: Second, route: string) => number | undefined): Line[] =>
        routes.map((route) => ({
            name: route,
            points: seconds.flatMap((second) => {
                const value = valueOf(second, route);
                return value === undefined ? [] : [[second.second, value] as const];
            }),
        }));
    const limit = { y: CACHED_MILLISECONDS, name: `${CACHED_MILLISECONDS} ms` };
    const xLabel = "seconds from the start";
    return [
        plotLines({
            ...{
                title: "Latency by share of the requests",
                xLabel: "share of requests",
                yLabel: "ms",
            },
            ...{ limit, isLog: true },
            xTicks: [
                [0, "0"],
                [1, "90 %"],
                [2, "99 %"],
                [3, "99.9 %"],
                [4, "99.99 %"],
            ],
            lines: routes.map((route) => ({
                name: route,
                points: (summary.routes[route]?.curve ?? [])
                    .map(([share, milliseconds]) => [-Math.log10(1 - share), milliseconds] as const)
                    .filter(([nines]) => nines <= 4),
            })),
        }),
        plotLines({
            ...{ title: "p99 of each second", xLabel, yLabel: "ms", limit, isLog: true },
            lines: over(({ routes: own }, route) => own[route]?.p99),
        }),
        plotLines({
            ...{ title: "Answers per second", xLabel, yLabel: "answers" },
            lines: [
                ...over(({ routes: own }, route) => own[route]?.answered ?? 0),
                {
                    name: "failed",
                    points: seconds.map(({ second, routes: own }) => [
                        second,
                        Object.values(own).reduce((all, { failed }) => all + failed, 0),
                    ]),
                },
            ],
        }),
        plotLines({
            ...{ title: "Longest delay of the generator itself", xLabel, yLabel: "ms" },
            lines: [{ name: "lag", points: seconds.map(({ second, maxLag }) => [second, maxLag]) }],
        }),
    ];
}
