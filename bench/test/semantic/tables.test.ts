import { expect, test } from "@jest/globals";

import { INTERPOLATION } from "../../semantic/methods.ts";
import { MAIN_BUDGET } from "../../semantic/plan.ts";
import { qualityTable } from "../../semantic/report/tables.ts";
import type { Summary } from "../../semantic/runTask.ts";

test("a run without answers has no quality, also after its result was stored as JSON", () => {
    const none = { mean: NaN, low: NaN, high: NaN };
    const summary = {
        ...{ set: "stsb", model: "m", stream: "once", method: INTERPOLATION, budget: MAIN_BUDGET },
        ...{ rho: "calibrated", minCosine: 0.995, served: { mean: 0, low: 0, high: 0 } },
        ...{ errorPerHit: none, overlap: none, loss: { mean: NaN, p5: NaN, p1: NaN } },
    };
    const stored = JSON.parse(JSON.stringify(summary)) as Summary;
    expect(qualityTable([stored]).split("\n").at(-1)).toBe(
        "| stsb, m, once | 0.995 (calibrated) | 0.00 % (0.00–0.00), wrong – | – / – / – | – (–––) |",
    );
});
