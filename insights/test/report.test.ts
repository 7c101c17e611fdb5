import { expect, test } from "@jest/globals";
import { createDocument } from "../src/report/document.ts";
import { formatDollars, formatMilliseconds } from "../src/report/format.ts";
import { writeHtml } from "../src/report/html.ts";
import { writeMarkdown } from "../src/report/markdown.ts";
import { blankReport, usualReport } from "./support/reports.ts";

const HOSTILE = `<img src=x onerror="alert(1)">|a & 'b' [c](d)`;

const hostile = usualReport({
    tenants: [
        {
            tenant: HOSTILE,
            hitRate: 0.5,
            tokensSaved: {},
            tokensBilled: 1,
            dollarsSaved: 1,
            dollarsBilled: 1,
            rejectedRequests: 0,
        },
    ],
});

test("the page contains labels as text, and loads nothing", () => {
    const html = writeHtml(createDocument(hostile));
    expect(html).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;|a &amp; &#39;b&#39;");
    expect(html).not.toContain("<img");
    expect(html).not.toMatch(/<(script|link|iframe)|url\(|@import|https?:/i);
    expect(html).toContain("default-src 'none'");
});

test("a label cannot break a table of the Markdown", () => {
    const [row] = writeMarkdown(createDocument(hostile))
        .split("\n")
        .filter((line) => line.includes("onerror"));
    expect(row?.split(/(?<!\\)[|]/)).toHaveLength(7);
    expect(row).toContain("\\<img");
});

test.each([
    ["HTML", writeHtml],
    ["Markdown", writeMarkdown],
])("%s of a report in which nothing is measured has no figure that is zero", (_, write) => {
    const completeness = {
        ...blankReport().completeness,
        state: "not measured" as const,
        gaps: [
            {
                from: "2026-11-29T02:00:00Z",
                to: "2026-11-30T02:00:00Z",
                pod: null,
                reason: "Prometheus does not answer",
                losesCounts: true,
            },
        ],
    };
    const text = write(createDocument(blankReport({ completeness })));
    expect(text).toContain("not measured");
    expect(text).toContain("Prometheus does not answer");
    // Cells with a zero, of a card or of a table.
    expect(text).not.toMatch(/[>|] ?\\?\$?0([.]0+)?( %| ms)?( \\?[|]|<)/);
});

test("the summary states a loss as one, and a partial day as at least", () => {
    const usual = usualReport();
    const loss = createDocument(usualReport({ cost: { ...usual.cost, net: -2 } }));
    expect(loss.summary[0]).toContain("a loss of $2.00");
    const completeness = { ...usual.completeness, state: "partial" as const };
    const partial = createDocument(usualReport({ completeness }));
    expect(partial.summary.join(" ")).toContain("at least 1,000 texts");
    expect(partial.summary.join(" ")).toContain("Data are missing");
});

test("a cost of 0 for pods and storage is explained: the stack sets no price", () => {
    const cost = { ...usualReport().cost, pods: 0, storage: 0 };
    expect(createDocument(usualReport({ cost })).summary.join(" ")).toContain("sets no price");
});

test.each([
    [1234.5, "$1,234.50"],
    [-3, "−$3.00"],
    [0.00123, "$0.00123"],
    [0, "$0.00"],
    [null, "not measured"],
])("%p dollars are %s", (value, text) => {
    expect(formatDollars(value)).toBe(text);
});

test("milliseconds have three digits", () => {
    expect(formatMilliseconds(0.0123456)).toBe("12.3 ms");
});
