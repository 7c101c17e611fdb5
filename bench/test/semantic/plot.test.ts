import { expect, test } from "@jest/globals";

import { plotErrors } from "../../semantic/report/plot.ts";

const point = (mean: number) => ({ mean, low: mean / 2, high: mean * 2 });

test("a plot shows each series, the budget, and no values that are not numbers", () => {
    const none = { mean: NaN, low: NaN, high: NaN };
    const svg = plotErrors(
        "a < b",
        [
            {
                name: "line",
                points: [0.01, 0.02].map((x) => ({ x: point(x), y: point(0.3) })),
                isLine: true,
            },
            { name: "empty", points: [{ x: none, y: point(0) }], isLine: false },
        ],
        0.02,
    );
    expect(svg).toMatch(/^<svg [^>]*>/);
    expect(svg).toContain("a &lt; b");
    expect(svg).toContain("δ = 2 %");
    expect(svg.match(/<polyline/g)).toHaveLength(1);
    expect(svg).not.toContain("NaN");
    expect(svg.endsWith("</svg>\n")).toBe(true);
});
