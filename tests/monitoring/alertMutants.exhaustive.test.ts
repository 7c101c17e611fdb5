import { beforeAll, expect, test } from "@jest/globals";

import { alertSpecs, runSpecs } from "../support/monitoring/alertSpecs.ts";

const specs = alertSpecs(true);
let failed: ReadonlySet<string> = new Set();

beforeAll(async () => {
    ({ failed } = await runSpecs(specs));
}, 480_000);

test("there are mutants of every alert, but of the one that always fires", () => {
    const without = specs.filter(({ mutants }) => mutants.size === 0);
    expect(without.map(({ alert }) => alert.alert)).toEqual(["Watchdog"]);
});

test.each(specs.map((one) => [one.alert.alert, one] as const))(
    "%s has a case that each of its mutants fails",
    (_, { mutants }) => {
        const survivors = [...mutants].filter(([name]) => !failed.has(name));
        expect(survivors.map(([, what]) => what)).toEqual([]);
    },
);
