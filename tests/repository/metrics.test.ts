import { expect, test } from "@jest/globals";
import { METRICS } from "@property-search/contract";
import { readFileSync } from "node:fs";
import path from "node:path";

const PAGE = path.join(import.meta.dirname, "../../docs/service/metrics.md");

test("docs/service/metrics.md has a row for each metric of the contract, and no other", () => {
    const rows = readFileSync(PAGE, "utf8").matchAll(/^\| `(\w+)` +\|/gm);
    expect([...rows].map(([, name]) => name).sort()).toEqual(Object.values(METRICS).sort());
});
