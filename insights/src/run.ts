import { UserError } from "@property-search/contract";
import { analyse, unknownReport } from "./analysis/analyse.ts";
import type { Report } from "./analysis/report.ts";
import { readHotKeys, type AdminPort } from "./hotKeys.ts";
import {
    createPrometheus,
    PrometheusError,
    type PrometheusOptions,
    type Window,
} from "./prometheus/client.ts";
import {
    dayOf,
    hasMeasuredReport,
    isMeasured,
    requireFolder,
    writeReport,
} from "./report/history.ts";
import { createFolderPosted } from "./report/posted.ts";
import { summarize } from "./report/document.ts";
import { createPagePosted, publishReport, type PageOptions } from "./publish.ts";
import { postToSlack, type SlackOptions } from "./slack.ts";

export interface RunOptions {
    readonly prometheus: PrometheusOptions;
    /** Of pods whose hot keys are read. */
    readonly admin: readonly AdminPort[];
    readonly window: Window;
    /** Folder of the reports. */
    readonly out: string;
    /** Number of days for which reports are kept. */
    readonly keep: number;
    /** The page that keeps the history. */
    readonly page?: PageOptions | undefined;
    readonly slack?: SlackOptions | undefined;
    readonly print: (line: string) => void;
}

/**
 * Analyses a window, writes its report, publishes it, and posts it unless Slack has the day's message already. If Prometheus
 * cannot be reached, the report says so, unless the day already has one with figures.
 *
 * @throws UserError if Prometheus cannot be reached, or the page or Slack does not accept the report, after it has been
 * written
 */
export async function runAnalysis(options: RunOptions): Promise<Report> {
    const { window, out, keep, print } = options;
    await requireFolder(out);
    const hotKeys = await readHotKeys(options.admin);
    const now = new Date();
    const prometheus = createPrometheus(options.prometheus);
    let outage: PrometheusError | undefined;
    const report = await analyse({ prometheus, window, hotKeys, now }).catch((error: unknown) => {
        if (!(error instanceof PrometheusError)) throw error;
        outage = error;
        return unknownReport(window, error.message, { hotKeys, now });
    });
    if (outage && (await hasMeasuredReport(out, dayOf(report)))) {
        throw new UserError(`${outage.message}; the earlier report of ${dayOf(report)} is kept`);
    }
    const file = await writeReport(out, report, keep);
    for (const line of summarize(report)) print(line);
    print(
        `Figures: ${report.completeness.state}; gaps: ${report.completeness.gaps.length}; recommendations: ${report.recommendations.length}`,
    );
    print(`Report: ${file}`);
    let isCurrent = true;
    if (options.page) {
        isCurrent = await publishReport(report, options.page);
        print(
            isCurrent
                ? `Published at ${options.page.url}`
                : `${options.page.url} keeps its earlier report of ${dayOf(report)}`,
        );
    }
    if (options.slack && isCurrent) await postOnce(report, options.slack, options);
    if (outage) throw outage;
    return report;
}

/** Repeated runs, such as those of a Job that fails, do not repeat a message. Figures follow the message of an outage. */
async function postOnce(
    report: Report,
    slack: SlackOptions,
    { page, out, print }: RunOptions,
): Promise<void> {
    const posted = page ? createPagePosted(page) : createFolderPosted(out);
    const day = dayOf(report);
    const earlier = await posted.read(day);
    if (earlier && (earlier.hasFigures || !isMeasured(report))) {
        print(`Slack has the message of ${day} already`);
        return;
    }
    await postToSlack(report, slack);
    await posted.write(day, { hasFigures: isMeasured(report) });
}
