import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { hasMeasuredReport, readReport, writeReport } from "../src/report/history.ts";
import { usualReport } from "./support/reports.ts";

let folder: string;

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "reports-"));
});

afterEach(() => rm(folder, { recursive: true }));

const reportOf = (day: string, changes = {}) =>
    usualReport({
        window: { from: `${day}T00:00:00Z`, to: `${day}T02:00:00Z`, hours: 2 },
        ...changes,
    });

const readIndex = async () =>
    JSON.parse(await readFile(path.join(folder, "index.json"), "utf8")) as {
        reports: { day: string; state: string; netDollars: number }[];
    };

test("a report has a folder of its day and a line of the index", async () => {
    const file = await writeReport(folder, reportOf("2026-11-30"), 90);
    expect(file).toBe(path.join(folder, "2026-11-30/report.html"));
    expect((await readdir(path.join(folder, "2026-11-30"))).sort()).toEqual([
        "report.html",
        "report.json",
        "report.md",
    ]);
    expect(await readReport(folder, "2026-11-30")).toEqual(reportOf("2026-11-30"));
    expect((await readIndex()).reports).toMatchObject([{ day: "2026-11-30", netDollars: 6 }]);
    expect(await readFile(path.join(folder, "index.html"), "utf8")).toContain(
        'href="2026-11-30/report.html"',
    );
});

test("a second report of a day replaces the first", async () => {
    await writeReport(folder, reportOf("2026-11-30"), 90);
    await writeReport(folder, reportOf("2026-11-30", { scaling: [] }), 90);
    const cost = { ...usualReport().cost, net: 1 };
    await writeReport(folder, reportOf("2026-11-30", { cost }), 90);
    expect((await readIndex()).reports).toMatchObject([{ day: "2026-11-30", netDollars: 1 }]);
});

test("the oldest days are removed, and nothing that is no report", async () => {
    await mkdir(path.join(folder, "2020-01-01"));
    await writeFile(path.join(folder, "2020-01-01/notes.txt"), "by somebody");
    await writeFile(path.join(folder, "keep.txt"), "by somebody");
    for (const day of ["2026-11-28", "2026-11-27", "2026-11-30", "2026-11-29"])
        await writeReport(folder, reportOf(day), 2);
    expect((await readdir(folder)).sort()).toEqual([
        "2020-01-01",
        "2026-11-29",
        "2026-11-30",
        "index.html",
        "index.json",
        "keep.txt",
    ]);
    expect((await readIndex()).reports.map(({ day }) => day)).toEqual(["2026-11-30", "2026-11-29"]);
});

test("a report that cannot be read is listed as such", async () => {
    await mkdir(path.join(folder, "2026-11-29"));
    await writeFile(path.join(folder, "2026-11-29/report.json"), '{"schema":');
    await writeReport(folder, reportOf("2026-11-30"), 90);
    expect((await readIndex()).reports).toMatchObject([
        { day: "2026-11-30", state: "complete" },
        { day: "2026-11-29", state: "unreadable", netDollars: null },
    ]);
});

test("files of a killed run are removed, those of a run at the same time are not", async () => {
    const day = path.join(folder, "2026-11-30");
    await mkdir(day);
    const [old, current] = ["report.md.1.tmp", "report.md.2.tmp"].map((name) =>
        path.join(day, name),
    ) as [string, string];
    await writeFile(old, "half");
    await writeFile(current, "half");
    await utimes(old, 0, 0);
    await writeReport(folder, reportOf("2026-11-30"), 90);
    expect(await readdir(day)).not.toContain("report.md.1.tmp");
    expect(await readdir(day)).toContain("report.md.2.tmp");
});

test("a report without figures is not a measured one", async () => {
    expect(await hasMeasuredReport(folder, "2026-11-30")).toBe(false);
    const completeness = { ...usualReport().completeness, state: "not measured" as const };
    await writeReport(folder, reportOf("2026-11-30", { completeness }), 90);
    expect(await hasMeasuredReport(folder, "2026-11-30")).toBe(false);
    await writeReport(folder, reportOf("2026-11-30"), 90);
    expect(await hasMeasuredReport(folder, "2026-11-30")).toBe(true);
});
