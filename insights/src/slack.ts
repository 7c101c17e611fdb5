import { UserError } from "@property-search/contract";
import type { Report } from "./analysis/report.ts";
import { summarize } from "./report/document.ts";
import { send, SendError, type SendOptions } from "./send.ts";
import { formatDollars, formatMilliseconds, formatMoment, formatPercent } from "./report/format.ts";

/** Slack's limits: characters of a section, of a header, and of a field. */
const MAX_SECTION = 3_000;
const MAX_FIELD = 2_000;
const MAX_RECOMMENDATIONS = 3;
const MAX_GAPS = 5;

export interface SlackOptions extends SendOptions {
    /** Incoming webhook: anyone who knows this URL can post. No message or error contains it. */
    readonly webhookUrl: string;
}

/** @throws UserError, without the URL, if it is none that a secret may be sent to */
export function parseWebhookUrl(text: string): string {
    const url = URL.parse(text.trim());
    const isLoopback = url !== null && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
    if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback)) return url.href;
    throw new UserError("the Slack webhook's file does not contain an https URL");
}

/**
 * Posts the report's summary by an incoming webhook, with retries.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * @throws UserError that names status or reason, but not the URL
 */
export async function postToSlack(
    report: Report,
    { webhookUrl, ...options }: SlackOptions,
): Promise<void> {
    const body = JSON.stringify(createMessage(report));
    const headers = { "content-type": "application/json" };
    await send(webhookUrl, { method: "POST", headers, body }, explain, options).catch(
        (error: unknown) => {
            if (!(error instanceof SendError)) throw error;
            throw new UserError(`the message to Slack was not accepted: ${error.message}`);
        },
    );
}

/** Slack explains a rejection by one word, such as invalid_payload. Other text may repeat the URL. */
function explain(text: string): string {
    return /^[a-z_]{1,40}$/.test(text) ? ` ${text}` : "";
}

/** Block Kit blocks, and the text of the notification. */
export function createMessage(report: Report): object {
    const { cost, lookups, latency, completeness, recommendations, window } = report;
    const summary = summarize(report);
    const field = (title: string, value: string) => ({
        type: "mrkdwn",
        text: cut(`*${title}*\n${escape(value)}`, MAX_FIELD),
    });
    const section = (lines: readonly string[]) => ({
        type: "section",
        text: { type: "mrkdwn", text: cut(lines.join("\n"), MAX_SECTION) },
    });
    const isUnknown = completeness.state === "not measured";
    const gaps = completeness.gaps
        .slice(0, MAX_GAPS)
        .map(
            (gap) =>
                `• ${escape(`${formatMoment(gap.from)} to ${formatMoment(gap.to)}, ${gap.pod ?? "all pods"}: ${gap.reason}`)}`,
        );
    const more = completeness.gaps.length - gaps.length;
    return {
        text: summary.slice(0, 2).join(" "),
        blocks: [
            {
                type: "header",
                text: { type: "plain_text", text: "What the embedding cache earned" },
            },
            section(summary.map(escape)),
            ...(isUnknown
                ? []
                : [
                      {
                          type: "section",
                          fields: [
                              field("Net savings", formatDollars(cost.net)),
                              field("Cost reduction", formatPercent(cost.reduction)),
                              field("Hit rate", formatPercent(lookups.hitRate)),
                              field("p95", formatMilliseconds(latency.all.p95)),
                          ],
                      },
                  ]),
            ...(gaps.length === 0
                ? []
                : [section(["*Gaps*", ...gaps, ...(more > 0 ? [`• and ${more} more`] : [])])]),
            ...recommendations
                .slice(0, MAX_RECOMMENDATIONS)
                .map(({ action, effect, confidence }) =>
                    section([
                        `*${escape(action)}*`,
                        escape(`${effect} Confidence: ${confidence}.`),
                    ]),
                ),
            {
                type: "context",
                elements: [
                    {
                        type: "mrkdwn",
                        text: `${formatMoment(window.from)} to ${formatMoment(window.to)}`,
                    },
                ],
            },
        ],
    };
}

/** The three characters of Slack's mrkdwn that must be escaped. */
const escape = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const cut = (text: string, length: number): string =>
    text.length <= length ? text : `${text.slice(0, length - 1)}…`;
