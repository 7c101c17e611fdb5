/** Prints how often the judge is wrong and how soon it is right: node bench/judge/main.ts */
import type { Verdict } from "../../operations/judge/judge.ts";
import { DEFAULT_LIMITS as limits } from "../../operations/judge/limits.ts";
import { BAD, GOOD, type Scenario } from "./scenarios.ts";
import { failsInSwitch, playWindow, randomFrom, type Outcome, type Play } from "./simulation.ts";

const SEED = 6;
const SWITCHES = 2000;
const RUNS = 200;
const STEP = 20;
const SWITCH_STEP = 50;
const HOLD = 2000;
const MOST = 40_000;

function good(scenario: Scenario): string {
    const play = { ...scenario, limits, random: randomFrom(SEED) };
    const switches = Array.from({ length: SWITCHES }, () =>
        failsInSwitch(play, { step: SWITCH_STEP, most: HOLD }),
    );
    const failed = switches.filter(Boolean).length;
    const passed = windows(play, { weight: 0.1, step: STEP, most: MOST }, ["pass"]);
    return row(
        scenario.name,
        `${failed} of ${SWITCHES}`,
        quantile(passed, 0.5),
        quantile(passed, 0.95),
    );
}

function bad(scenario: Scenario): string {
    const play = { ...scenario, limits, random: randomFrom(SEED) };
    const found = [0.1, 0.5, 1].flatMap((weight) => {
        const outcomes = windows(play, { weight, step: STEP, most: MOST }, ["fail"]);
        return [quantile(outcomes, 0.5), quantile(outcomes, 0.95)];
    });
    const first = { weight: 0.1, step: STEP, most: MOST };
    const atOnce = windows(play, first, ["fail", "pass"]);
    const later = windows(play, { ...first, most: HOLD }, ["fail"]);
    return row(scenario.name, ...found, passedShare(atOnce), passedShare(later));
}

function windows(
    play: Play,
    window: Parameters<typeof playWindow>[1],
    until: readonly Verdict[],
): readonly Outcome[] {
    return Array.from({ length: RUNS }, () => playWindow(play, window, until));
}

function passedShare(outcomes: readonly Outcome[]): string {
    const passed = outcomes.filter(({ verdict }) => verdict === "pass").length;
    return `${((passed / outcomes.length) * 100).toFixed(1)} %`;
}

function row(...cells: readonly string[]): string {
    return `| ${cells.join(" | ")} |`;
}

/** Of those that came to a verdict; one that did not took more than any number. */
function quantile(outcomes: readonly Outcome[], share: number): string {
    const sorted = outcomes
        .map(({ verdict, requests }) =>
            verdict === "no data" || requests === MOST ? Infinity : requests,
        )
        .sort((a, b) => a - b);
    const value = sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
    return Number.isFinite(value) ? value.toLocaleString("en-US") : "–";
}

console.log(
    `Whole switches of four windows with ${HOLD} requests of the candidate each, and requests until a step of 10 % passes\n`,
);
console.log(row("candidate", "failed", "half", "95 %"));
console.log(row("---", "---", "---", "---"));
for (const scenario of GOOD) console.log(good(scenario));
console.log(
    "\nRequests of the candidate until it fails, and how many pass a step of 10 % instead\n",
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
        `after ${HOLD}`,
    ),
);
console.log(row(...Array.from({ length: 9 }, () => "---")));
for (const scenario of BAD) console.log(bad(scenario));
