import {
    BOOLEAN,
    integer,
    oneOf,
    pattern,
    setting,
    text,
    token,
} from "@property-search/contract/settings";
import { DEFAULT_INSIGHTS } from "../../components/insights.ts";
import { TUNING_MODES } from "../../components/insights/dailyRun.ts";
import { bytes, decimal, IMAGE, MOST_STORAGE, OBJECT_NAME } from "../allowed.ts";
import { SLACK } from "./alerts.ts";
import { SECRET } from "./row.ts";

/** Once a day: the analysis covers 24 hours, and an alert expects it. */
const DAILY = pattern(
    /^([0-9]|[1-5][0-9]) ([0-9]|1[0-9]|2[0-3]) \* \* \*$/,
    "minute and hour of a daily run in the format of cron, such as 0 2 * * *",
);
const MODE = oneOf(...TUNING_MODES);
const TIME_ZONE = text(
    isTimeZone,
    "a name of the IANA time zone database, such as Europe/Berlin or UTC",
);
/** Hours take about 50 kB a day (docs/insights.md), besides the reports; a file is written before it replaces another. */
const STORAGE = bytes(MOST_STORAGE, "64Mi");

export const INSIGHTS = {
    "insights.enabled": setting(BOOLEAN, false)`
                Whether the stack has insights: the page /impact with the savings of the cache, and a daily analysis
        (docs/insights.md). Requires monitoring.enabled.`,
    "insights.image": setting(IMAGE, "")`
        Image of insights. Required when insights.enabled is true.`,
    "insights.expose": setting(BOOLEAN, false)`
        Whether the Gateway serves the page, below /impact. Otherwise \`make impact\` forwards a port to it.`,
    "insights.accessToken": setting(token(16, "a token"), "", SECRET)`
        Token with which people and programs log in to the page. Generated on the stack's first deploy; required when
        insights.enabled is true.`,
    "insights.schedule": setting(DAILY, DEFAULT_INSIGHTS.schedule)`
        Time of the daily run.`,
    "insights.timeZone": setting(TIME_ZONE, DEFAULT_INSIGHTS.timeZone)`
        Time zone of insights.schedule.`,
    "insights.retentionDays": setting(integer(1, 3_650), DEFAULT_INSIGHTS.retentionDays)`
        Days for which reports are kept.`,
    "insights.storage": setting(STORAGE, DEFAULT_INSIGHTS.storage)`
        Size of the volume with the reports.`,
    "insights.storageClass": setting(OBJECT_NAME, "")`
        Storage class of that volume. Not set: the cluster's default.`,
    "insights.tuning": setting(MODE, DEFAULT_INSIGHTS.tuning)`
                Whether the daily run tunes cache TTL and local cache size: off (its changes are reverted), review
        (it proposes them on the page) or automatic.`,
    "insights.conceptRules": setting(MODE, DEFAULT_INSIGHTS.conceptRules)`
        The same for terms of semantic reuse that it finds in the texts of requests.`,
    "insights.storageDollarsPerGibHour": setting(decimal(0, 1_000), "")`
                Price of storage for entries, against which the tuner weighs a longer TTL. Not set:
        service.storageCostPerHourDollars by
        the limit of Redis.`,
    "insights.slackUrl": setting(SLACK, "", SECRET)`
        URL of a Slack incoming webhook for the daily report, set with --secret. Not set: Slack is not notified.`,
};

/** Names of the database without an area. ICU, and so Node, knows others besides, such as PST and BST. */
const WITHOUT_AREA = new Set(
    (
        "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland " +
        "Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC " +
        "ROK Singapore Turkey UCT UTC Universal W-SU WET Zulu"
    ).split(" "),
);
const AREAS = new Set(
    "Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe Indian Mexico Pacific US".split(
        " ",
    ),
);
/** Names in these areas that the database does not have, or no longer. */
const ONLY_ICU = new Set(["US/Pacific-New", "Canada/East-Saskatchewan", "Etc/Unknown"]);

/** Like the controller of CronJobs, which uses Go's copy of the database: by exact name. */
function isTimeZone(name: string): boolean {
    const [area = "", location] = name.split("/");
    if (!(location === undefined ? WITHOUT_AREA : AREAS).has(area) || ONLY_ICU.has(name))
        return false;
    if (!/^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(name)) return false;
    try {
        const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
        // Names differ in case by the system's file names. An alias, such as Asia/Kolkata, may be resolved to another name.
        return timeZone.toLowerCase() !== name.toLowerCase() || timeZone === name;
    } catch {
        return false;
    }
}
