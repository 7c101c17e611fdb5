import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Report } from "../analysis/report.ts";
import {
    dayOf,
    hasMeasuredReport,
    listDays,
    readReport,
    REPORT_FILES,
    requireFolder,
    writeReport,
    type ReportFormat,
} from "../report/history.ts";
import { createFolderPosted, parsePosted, type Posted } from "../report/posted.ts";
import { HttpError } from "./exchange.ts";

export interface Archive {
    /** Latest first. */
    readonly list: () => readonly Report[];
    /** @throws HttpError 404 */
    readonly read: (day: string, format: ReportFormat) => Promise<Buffer>;
    /**
     * @returns whether the day had a report already
     * @throws HttpError 400 for another day than that of the report, 409 if it would replace figures by none
     */
    readonly put: (day: string, report: Report) => Promise<boolean>;
    /** The message that Slack has of a day. @throws HttpError 404 */
    readonly readPosted: (day: string) => Promise<Posted>;
    /** @throws HttpError 400, or 404 for a day without a report */
    readonly putPosted: (day: string, content: unknown) => Promise<void>;
}

/** Daily reports in a folder, which only this process writes. */
export async function openArchive(folder: string, keepDays: number): Promise<Archive> {
    await requireFolder(folder);
    const reports = new Map<string, Report>();
    for (const day of await listDays(folder)) {
        const report = await readReport(folder, day);
        if (report) reports.set(day, report);
    }
    const posted = createFolderPosted(folder);
    let writing: Promise<unknown> = Promise.resolve();

    function requireReport(day: string): void {
        if (!reports.has(day)) throw new HttpError(404, `There is no report of ${day}.`);
    }

    async function write(day: string, report: Report): Promise<boolean> {
        const isUnknown = report.completeness.state === "not measured";
        if (isUnknown && (await hasMeasuredReport(folder, day))) {
            throw new HttpError(409, `The report of ${day} has figures, and this one has none.`);
        }
        const hadOne = reports.has(day);
        await writeReport(folder, report, keepDays);
        reports.set(day, report);
        const kept = new Set(await listDays(folder));
        for (const one of reports.keys()) if (!kept.has(one)) reports.delete(one);
        return hadOne;
    }

    return {
        list: () => [...reports].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, report]) => report),
        read: async (day, format) => {
            requireReport(day);
            return readFile(path.join(folder, day, REPORT_FILES[format]));
        },
        put: (day, report) => {
            if (dayOf(report) !== day) {
                throw new HttpError(
                    400,
                    `the path has the day ${day}, and the report's window ends on ${dayOf(report)}`,
                );
            }
            const result = writing.then(() => write(day, report));
            writing = result.catch(() => undefined);
            return result;
        },
        readPosted: async (day) => {
            const found = await posted.read(day);
            if (!found) throw new HttpError(404, `Slack has no message of ${day}.`);
            return found;
        },
        putPosted: async (day, content) => {
            requireReport(day);
            const value = parsePosted(content);
            if (!value) throw new HttpError(400, "hasFigures is missing; allowed: true or false");
            await posted.write(day, value);
        },
    };
}
