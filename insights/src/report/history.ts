import { UserError } from "@property-search/contract";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { SCHEMA, SCHEMA_VERSION, type Report } from "../analysis/report.ts";
import { createDocument } from "./document.ts";
import { escape, writeHtml, writePage } from "./html.ts";
import { formatDollars, formatPercent } from "./format.ts";
import { writeMarkdown } from "./markdown.ts";

/** Files of a day, by format. */
export const REPORT_FILES = {
    json: "report.json",
    html: "report.html",
    md: "report.md",
} as const;

export type ReportFormat = keyof typeof REPORT_FILES;

const REPORT_FILE = REPORT_FILES.json;
const DAY = /^\d{4}-\d\d-\d\d$/;
const TEMPORARY = /[.]\d+[.]tmp$/;
const MAX_RUN_MILLISECONDS = 3_600_000;

/** The day that a report is filed under: the one on which its window ends, in UTC. */
export const dayOf = ({ window }: Pick<Report, "window">): string => window.to.slice(0, 10);

/** Whether a report has figures, instead of the reason why there are none. */
export const isMeasured = ({ completeness }: Partial<Pick<Report, "completeness">>): boolean =>
    completeness !== undefined && completeness.state !== "not measured";

/**
 * Writes a report into the history: a folder per day, and an index. A second report of a day replaces the first. Each file is
 * replaced by a rename, so that a reader or a killed run never leaves half of one.
 *
 * @param keep number of days that are kept; older folders are removed, if they contain a report
 * @returns the path of the report as HTML
 */
export async function writeReport(folder: string, report: Report, keep: number): Promise<string> {
    const day = path.join(folder, dayOf(report));
    await mkdir(day, { recursive: true });
    await Promise.all([folder, day].map(removeTemporary));
    const document = createDocument(report);
    await replaceFile(path.join(day, REPORT_FILES.html), writeHtml(document));
    await replaceFile(path.join(day, REPORT_FILES.md), writeMarkdown(document));
    // Last: the index lists a day by this file.
    await replaceFile(path.join(day, REPORT_FILE), `${JSON.stringify(report, null, 4)}\n`);
    await removeOldDays(folder, keep);
    await writeIndex(folder);
    return path.join(day, REPORT_FILES.html);
}

/** Whether a day has a report of measured figures, which an outage of Prometheus must not replace. */
export async function hasMeasuredReport(folder: string, day: string): Promise<boolean> {
    const report = await readReport(folder, day);
    return report !== undefined && isMeasured(report);
}

/** @returns undefined if the folder has no readable report of that day */
export async function readReport(folder: string, day: string): Promise<Report | undefined> {
    try {
        const text = await readFile(path.join(folder, day, REPORT_FILE), "utf8");
        const report = JSON.parse(text) as Partial<Report>;
        const isKnown = report.schema === SCHEMA && report.schemaVersion === SCHEMA_VERSION;
        return isKnown ? (report as Report) : undefined;
    } catch {
        return undefined;
    }
}

/** Days that have a file of this program, latest first. */
export async function listDays(folder: string): Promise<readonly string[]> {
    const names = (await readdir(folder)).filter((name) => DAY.test(name));
    const days = await Promise.all(
        names.map(async (name) => {
            const files = await readdir(path.join(folder, name)).catch((): string[] => []);
            return files.includes(REPORT_FILE) ? [name] : [];
        }),
    );
    return days.flat().sort().reverse();
}

async function removeOldDays(folder: string, keep: number): Promise<void> {
    for (const day of (await listDays(folder)).slice(keep)) {
        await rm(path.join(folder, day), { recursive: true });
    }
}

/** Removes files of killed runs. Newer ones may belong to a run at the same time. */
async function removeTemporary(folder: string): Promise<void> {
    for (const name of (await readdir(folder)).filter((one) => TEMPORARY.test(one))) {
        const file = path.join(folder, name);
        const found = await stat(file).catch(() => undefined);
        const isOld = found !== undefined && Date.now() - found.mtimeMs > MAX_RUN_MILLISECONDS;
        if (isOld) await rm(file, { force: true });
    }
}

/** Replaces a file by a rename, so that no reader or killed run sees half of one. */
export async function replaceFile(file: string, text: string): Promise<void> {
    const temporary = `${file}.${process.pid}.tmp`;
    await writeFile(temporary, text);
    await rename(temporary, file);
}

async function writeIndex(folder: string): Promise<void> {
    const days = await listDays(folder);
    const reports = await Promise.all(
        days.map(async (day) => ({ day, report: await readReport(folder, day) })),
    );
    const entries = reports.map(({ day, report }) => ({
        day,
        state: report?.completeness.state ?? "unreadable",
        hitRate: report?.lookups.hitRate ?? null,
        netDollars: report?.cost.net ?? null,
        recommendations: report?.recommendations.length ?? null,
    }));
    const index = { schema: `${SCHEMA}-index`, schemaVersion: SCHEMA_VERSION, reports: entries };
    await replaceFile(path.join(folder, "index.json"), `${JSON.stringify(index, null, 4)}\n`);
    const rows = entries.map(
        ({ day, state, hitRate, netDollars }) =>
            `<tr><th scope="row"><a href="${day}/report.html">${day}</a></th><td>${escape(state)}</td><td class="figure">${formatPercent(hitRate)}</td><td class="figure">${formatDollars(netDollars)}</td></tr>`,
    );
    const title = "Reports of the embedding cache";
    const body = `<h1>${title}</h1>
<div class="table" role="region" aria-label="${title}" tabindex="0"><table>
<caption>Latest first; each covers the 24 hours, or the hours chosen, before its end on that day (UTC)</caption>
<thead><tr><th scope="col">Day</th><th scope="col">Figures</th><th scope="col" class="figure">Hit rate</th><th scope="col" class="figure">Net savings</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>`;
    await replaceFile(path.join(folder, "index.html"), writePage(title, body));
}

/** @throws UserError for a path that is not a folder */
export async function requireFolder(folder: string): Promise<void> {
    try {
        await mkdir(folder, { recursive: true });
    } catch (error) {
        throw new UserError(`--out ${folder} is not a folder: ${(error as Error).message}`);
    }
}
