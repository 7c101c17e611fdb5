/** Prints the judge's error rates and the requests until its verdicts: node bench/judge/main.ts --help */
import { runCommand } from "@property-search/contract";
import { Command } from "commander";
import type { Verdict } from "../../operations/judge/judge.ts";
import { DEFAULT_LIMITS as limits } from "../../operations/judge/limits.ts";
import { BAD, GOOD, type Scenario } from "./scenarios.ts";
import { failsInSwitch, simulateWindow, type Outcome, type Simulation } from "./simulation.ts";
import { seededRandom } from "../shared/random.ts";

const SEED = 6;
const SWITCHES = 2000;
const RUNS = 200;
const STEP = 20;
const SWITCH_STEP = 50;
const WINDOW_REQUESTS = 2000;
const MAX_REQUESTS = 40_000;

function goodRow(scenario: Scenario): string {
    const simulation = { ...scenario, limits, random: seededRandom(SEED) };
    const switches = Array.from({ length: SWITCHES }, () =>
        failsInSwitch(simulation, { step: SWITCH_STEP, most: WINDOW_REQUESTS }),
    );
    const failed = switches.filter(Boolean).length;
    const passed = windows(simulation, { weight: 0.1, step: STEP, most: MAX_REQUESTS }, ["pass"]);
    return row(
        scenario.name,
        `${failed} of ${SWITCHES}`,
        quantile(passed, 0.5),
        quantile(passed, 0.95),
    );
}

function badRow(scenario: Scenario): string {
    const simulation = { ...scenario, limits, random: seededRandom(SEED) };
    const found = [0.1, 0.5, 1].flatMap((weight) => {
        const outcomes = windows(simulation, { weight, step: STEP, most: MAX_REQUESTS }, ["fail"]);
        return [quantile(outcomes, 0.5), quantile(outcomes, 0.95)];
    });
    const first = { weight: 0.1, step: STEP, most: MAX_REQUESTS };
    const atOnce = windows(simulation, first, ["fail", "pass"]);
    const later = windows(simulation, { ...first, most: WINDOW_REQUESTS }, ["fail"]);
    return row(scenario.name, ...found, passedShare(atOnce), passedShare(later));
}

function windows(
    simulation: Simulation,
    window: Parameters<typeof simulateWindow>[1],
    until: readonly Verdict[],
): readonly Outcome[] {
    return Array.from({ length: RUNS }, () => simulateWindow(simulation, window, until));
}

function passedShare(outcomes: readonly Outcome[]): string {
    const passed = outcomes.filter(({ verdict }) => verdict === "pass").length;
    return `${((passed / outcomes.length) * 100).toFixed(1)} %`;
}

function row(...cells: readonly string[]): string {
    return `| ${cells.join(" | ")} |`;
}

/** Quantile of the requests until a verdict; a window without a verdict counts as infinite. */
function quantile(outcomes: readonly Outcome[], share: number): string {
    const sorted = outcomes
        .map(({ verdict, requests }) =>
            verdict === "inconclusive" || requests === MAX_REQUESTS ? Infinity : requests,
        )
        .sort((a, b) => a - b);
    const value = sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
    return Number.isFinite(value) ? value.toLocaleString("en-US") : "–";
}

function printTables(): void {
    console.log(
        `Complete switches of four windows with ${WINDOW_REQUESTS} candidate requests each, and requests until a step of 10 % passes\n`,
    );
    console.log(row("candidate", "failed", "half", "95 %"));
    console.log(row("---", "---", "---", "---"));
    for (const scenario of GOOD) console.log(goodRow(scenario));
    console.log(
        "\nCandidate requests until it fails, and the share that passes a step of 10 % instead\n",
    );
    console.log(
        row(
            "candidate",
            "10 %: half",
            "95 %",
            "50 %: half",
            "95 %",
            "100 %: half",
            "95 %",
            "at once",
            `after ${WINDOW_REQUESTS}`,
        ),
    );
    console.log(row(...Array.from({ length: 9 }, () => "---")));
    for (const scenario of BAD) console.log(badRow(scenario));
}

await runCommand(
    new Command("bench-judge")
        .description(
            "Prints the judge's error rates and the requests until its verdicts, by simulation",
        )
        .action(printTables),
);
