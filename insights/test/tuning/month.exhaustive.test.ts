import { expect, test } from "@jest/globals";
import {
    findFailures,
    MAX_DIP,
    REVERSED,
    simulateMonth,
    TOO_LONG,
    TOO_SHORT,
    type Scenario,
} from "../support/tuningMonth.ts";

const REQUESTS_PER_DAY = 20_000;
/** The table of docs/insights.md is of 20, which take more than nine minutes. */
const SEEDS = Array.from({ length: Number(process.env.SEEDS ?? 5) }, (_, at) => at + 1);

test.each<[string, Scenario, number]>([
    ["too short a lifetime", TOO_SHORT, 0],
    ["a price change that reverses the direction", REVERSED, 0],
    ["too long a lifetime", TOO_LONG, MAX_DIP],
])(
    "months with %s",
    (name, scenario, dip) => {
        const lines: string[] = [];
        for (const seed of SEEDS) {
            const month = simulateMonth(seed, REQUESTS_PER_DAY, scenario);
            const { tuned, configured, best, decisions } = month;
            const percent = (part = NaN, whole = NaN) => ((part / whole) * 100).toFixed(2);
            const lowest = Math.min(...tuned.map((net, day) => net / (configured[day] ?? NaN)));
            const counts = ["change", "roll back"].map(
                (action) => decisions.filter((one) => one.action === action).length,
            );
            lines.push(
                `seed ${seed}: ${percent(tuned.at(-1), best.net)} % of the best fixed lifetime (${best.ttl / 3_600} h), which the default has ${percent(configured.at(-1), best.net)} % of; lowest against the default ${percent(lowest, 1)} %; ${counts.join(" changes, ")} rolled back`,
            );
            expect({ seed, failures: findFailures(month, dip) }).toEqual({ seed, failures: [] });
        }
        console.log(`${name}\n${lines.join("\n")}`);
    },
    1_800_000,
);
