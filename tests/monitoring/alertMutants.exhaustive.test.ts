import { beforeAll, expect, test } from "@jest/globals";

import { alertTrials, runTrials } from "../support/monitoring/alertSpecs.ts";

const trials = alertTrials(true);
let failed: ReadonlySet<string> = new Set();

beforeAll(async () => {
    ({ failed } = await runTrials(trials));
}, 480_000);

test("there are mutants of every alert, but of the one that always fires", () => {
    const without = trials.filter(({ mutants }) => mutants.size === 0);
    expect(without.map(({ alert }) => alert.alert)).toEqual(["Watchdog"]);
});

test.each(trials.map((one) => [one.alert.alert, one] as const))(
    "%s has a case that each of its mutants fails",
    (_, { mutants }) => {
        const survivors = [...mutants].filter(([name]) => !failed.has(name));
        expect(survivors.map(([, what]) => what)).toEqual([]);
    },
);
