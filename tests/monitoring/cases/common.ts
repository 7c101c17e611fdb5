import type { Case } from "../../support/monitoring/cases.ts";
import { counter, gauge, STALE } from "../../support/monitoring/samples.ts";

/** @returns promtool's notation of a time. */
export function time(minutes: number, seconds = 0): string {
    return `${minutes}m${seconds}s`;
}

interface SwitchArgs {
    /** Selector of the series that triggers the alert. */
    readonly series: string;
    readonly good: number;
    readonly bad: number;
    /** The alert's `for`, in minutes. Default 0. */
    readonly minutes?: number;
    /** Matchers of the alert's labels. */
    readonly labels: string;
    /** What else there is, and does not change. */
    readonly others?: Readonly<Record<string, string>>;
}

/** Of a gauge that alone decides: it turns bad after five minutes, and good again. */
export function gaugeCases(args: SwitchArgs): Case[] {
    const { series, good, bad, minutes = 0, labels, others = {} } = args;
    const begun = 5;
    const fires = begun + minutes;
    return [
        {
            why: "fires after its time, not before, and resolves",
            series: {
                ...others,
                [series]: gauge([
                    [good, begun],
                    [bad, minutes + 3],
                    [good, 10],
                ]),
            },
            at: {
                [time(begun - 1)]: [],
                ...(minutes > 0 && { [time(fires - 1, 45)]: [] }),
                [time(fires)]: [labels],
                [time(fires + 2, 45)]: [labels],
                [time(fires + 3)]: [],
                [time(fires + 9)]: [],
            },
        },
        {
            why: "a short trouble is none",
            series: {
                ...others,
                [series]: gauge([
                    [good, begun],
                    [bad, 0.5],
                    [good, 40],
                ]),
            },
            at:
                minutes > 0
                    ? { [time(begun, 15)]: [], [time(begun + minutes, 30)]: [] }
                    : { [time(begun + 1)]: [] },
        },
        {
            why: "does not outlive its series",
            series: { ...others, [series]: gauge([[bad, minutes + 5], STALE]) },
            at: { [time(minutes + 4)]: [labels], [time(minutes + 6)]: [] },
        },
    ];
}

/** Of a counter whose growth is the trouble, rated over five minutes. */
export function counterCases(
    args: Omit<SwitchArgs, "good" | "bad"> & {
        /** Growth a second. Default: none is good, and 1 is bad. */
        readonly good?: number;
        readonly bad?: number;
    },
): Case[] {
    const { series, minutes = 0, labels, others = {}, good = 0, bad = 1 } = args;
    return [
        {
            why: "fires after its time, not before, and resolves",
            series: {
                ...others,
                [series]: counter([
                    [bad, minutes + 5],
                    [good, 20],
                ]),
            },
            at: {
                "0m": [],
                ...(minutes > 0 && { [time(minutes)]: [] }),
                [time(minutes, 30)]: [labels],
                [time(minutes + 5)]: [labels],
                [time(minutes + 11)]: [],
            },
        },
        {
            why: "fires after a long good time",
            series: {
                ...others,
                [series]: counter([
                    [good, 60],
                    [bad, minutes + 10],
                ]),
            },
            at: { "59m": [], [time(60 + minutes + 6)]: [labels] },
        },
        {
            why: "a restarted pod does not fire",
            series: { ...others, [series]: counter([[good, 20], "reset", [good, minutes + 20]]) },
            at: { "19m": [], "21m": [], [time(21 + minutes)]: [] },
        },
        {
            why: "does not outlive its series",
            series: { ...others, [series]: counter([[bad, minutes + 5], STALE]) },
            at: { [time(minutes + 4)]: [labels], [time(minutes + 12)]: [] },
        },
    ];
}
