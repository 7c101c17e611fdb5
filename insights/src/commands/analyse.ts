import { UserError } from "@property-search/contract";
import type { Command } from "commander";
import { parseWebhookUrl } from "../slack.ts";
import {
    checkDistinctTokens,
    MAX_DAYS_KEPT,
    print,
    readNumber,
    readSecret,
    readTime,
    readUrl,
} from "./flags.ts";

interface AnalyseFlags {
    readonly prometheus: string;
    readonly tokenFile?: string;
    readonly admin: readonly string[];
    readonly adminTokenFile?: string;
    readonly hours: number;
    readonly end?: number;
    readonly out: string;
    readonly keep: number;
    readonly publish?: string;
    readonly publishTokenFile?: string;
    readonly slackWebhookFile?: string;
}

/** Longest window: the retention of the stack's Prometheus is 200 hours. */
const MAX_HOURS = 168;

/** Adds the command `analyse`. What it runs is loaded with it: each command needs other packages. */
export function addAnalyse(program: Command): void {
    program
        .command("analyse")
        .description("analyse the last hours and write the day's report as HTML, Markdown and JSON")
        .requiredOption("--prometheus <url>", "base URL of Prometheus", readUrl("--prometheus"))
        .option("--token-file <file>", "file with its bearer token; default: none")
        .option(
            "--admin <url>",
            "admin port of a pod, for its hot keys; of several, the busiest pod counts",
            (text: string, others: readonly string[]) => [...others, readUrl("--admin")(text)],
            [],
        )
        .option("--admin-token-file <file>", "file with the token of the admin port")
        .option("--hours <number>", "hours of the window", readNumber("--hours", MAX_HOURS), 24)
        .option(
            "--end <time>",
            "end of the window in RFC 3339; default: the last full minute",
            readTime("--end"),
        )
        .requiredOption("--out <folder>", "folder of all reports; the day's are replaced")
        .option(
            "--keep <days>",
            "days for which reports are kept",
            readNumber("--keep", MAX_DAYS_KEPT),
            90,
        )
        .option(
            "--publish <url>",
            "base URL of the page that keeps the report too, without a path",
            readUrl("--publish"),
        )
        .option("--publish-token-file <file>", "file with the access token of the page")
        .option("--slack-webhook-file <file>", "file with the URL of an incoming webhook of Slack")
        .action(async (flags: AnalyseFlags) => {
            const to = flags.end ?? Math.floor(Date.now() / 60_000) * 60;
            const { runAnalysis } = await import("../run.ts");
            await runAnalysis({
                prometheus: { url: flags.prometheus, token: readSecret(flags.tokenFile) },
                admin: readAdmin(flags),
                window: { from: to - flags.hours * 3600, to },
                out: flags.out,
                keep: flags.keep,
                page: readPage(flags),
                slack: readSlack(flags.slackWebhookFile),
                print,
            });
        });
}

function readAdmin({ admin, adminTokenFile, publishTokenFile }: AnalyseFlags) {
    if (admin.length === 0) return [];
    const token = readSecret(adminTokenFile);
    if (token === undefined) throw new UserError("--admin needs --admin-token-file");
    checkDistinctTokens(token, readSecret(publishTokenFile));
    return admin.map((url) => ({ url, token }));
}

function readPage({ publish: url, publishTokenFile }: AnalyseFlags) {
    if (url === undefined) return undefined;
    const token = readSecret(publishTokenFile);
    if (token === undefined) throw new UserError("--publish needs --publish-token-file");
    return { url, token };
}

function readSlack(file: string | undefined) {
    const text = readSecret(file);
    return text === undefined ? undefined : { webhookUrl: parseWebhookUrl(text) };
}
