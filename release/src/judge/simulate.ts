/** Prints how often the judge is wrong and how soon it is right: node release/src/judge/simulate.ts */
import { DEFAULT_LIMITS as limits } from "./limits.ts";
import { BAD, GOOD, type Scenario } from "./scenarios.ts";
import { failsInSwitch, playWindow, randomFrom, type Outcome } from "./simulation.ts";

const SEED = 6;
const SWITCHES = 2000;
const RUNS = 200;
const STEP = 20;
const SWITCH_STEP = 50;

function falseAlarms(scenario: Scenario): string {
    const random = randomFrom(SEED);
    let failed = 0;
    for (let run = 0; run < SWITCHES; run += 1) {
        if (failsInSwitch({ ...scenario, limits, random }, { step: SWITCH_STEP, most: 2000 }))
            failed += 1;
    }
    return `| ${scenario.name} | ${failed} of ${SWITCHES} |`;
}

function detection(scenario: Scenario): string {
    const play = { ...scenario, limits, random: randomFrom(SEED) };
    const cells = [0.1, 0.5, 1].flatMap((weight) => {
        const window = { weight, step: STEP, most: 40_000 };
        const found = Array.from({ length: RUNS }, () => playWindow(play, window, ["fail"]));
        return [quantile(found, 0.5), quantile(found, 0.95)];
    });
    const first = Array.from({ length: RUNS }, () =>
        playWindow(play, { weight: 0.1, step: STEP, most: 40_000 }, ["fail", "pass"]),
    );
    const passed = first.filter(({ verdict }) => verdict === "pass").length;
    return `| ${scenario.name} | ${cells.join(" | ")} | ${((passed / RUNS) * 100).toFixed(1)} % |`;
}

/** Not found is more than any number. */
function quantile(outcomes: readonly Outcome[], share: number): string {
    const sorted = outcomes
        .map(({ verdict, requests }) => (verdict === "fail" ? requests : Infinity))
        .sort((a, b) => a - b);
    const value = sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
    return Number.isFinite(value) ? value.toLocaleString("en-US") : "–";
}

console.log(
    `False alarms in whole switches of four windows, looked at after each ${SWITCH_STEP} requests of the candidate\n`,
);
console.log("| candidate | failed |\n| --- | --- |");
for (const scenario of GOOD) console.log(falseAlarms(scenario));
console.log(`\nRequests of the candidate until it fails, of ${RUNS} runs each\n`);
console.log(
    "| candidate | 10 %: half | 10 %: 95 % | 50 %: half | 50 %: 95 % | 100 %: half | 100 %: 95 % | let through |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const scenario of BAD) console.log(detection(scenario));
