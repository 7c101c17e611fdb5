import type { Figure } from "../analysis/report.ts";

export const UNKNOWN = "not measured";

type Maybe = Figure | undefined;

const format = (figure: Maybe, write: (value: number) => string): string =>
    figure === null || figure === undefined ? UNKNOWN : write(figure);

/** Three significant digits, with a unit if it has one: `0.42 / s`. */
export const formatNumber = (figure: Maybe, unit = ""): string =>
    format(figure, (value) =>
        `${Number(value.toPrecision(3)).toLocaleString("en-US")} ${unit}`.trimEnd(),
    );

export const formatCount = (figure: Maybe): string =>
    format(figure, (value) => value.toLocaleString("en-US", { maximumFractionDigits: 0 }));

/** Share 0–1 in percent. */
export const formatPercent = (figure: Maybe): string =>
    format(figure, (value) => `${(value * 100).toFixed(1)} %`);

/** Cents, or three digits of smaller amounts. */
export const formatDollars = (figure: Maybe): string =>
    format(figure, (value) => {
        const amount = Math.abs(value);
        const digits =
            amount === 0 || amount >= 0.995 ? 2 : Math.min(8, 2 - Math.floor(Math.log10(amount)));
        const text = amount.toLocaleString("en-US", {
            minimumFractionDigits: 2,
            maximumFractionDigits: digits,
        });
        return `${value < 0 ? "−" : ""}$${text}`;
    });

export const formatMilliseconds = (seconds: Maybe): string =>
    format(seconds, (value) => formatNumber(value * 1000, "ms"));

/** Days, or hours of less than two days. */
export const formatDays = (seconds: number): string => {
    const [count, unit] =
        seconds < 2 * 86_400 ? [seconds / 3_600, "hour"] : [seconds / 86_400, "day"];
    const number = Number(count.toPrecision(2));
    return `${number} ${unit}${number === 1 ? "" : "s"}`;
};

export const formatBytes = (figure: Maybe): string =>
    format(figure, (value) =>
        value >= 2 ** 30
            ? `${(value / 2 ** 30).toFixed(1)} GiB`
            : `${(value / 2 ** 20).toFixed(1)} MiB`,
    );

/** `2026-11-30 02:00 UTC` */
export const formatMoment = (time: string): string =>
    `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;

/** A length of time in its largest unit: `45 s`, `12 min`, `5.2 h`, `3.1 days`. */
export function formatSpan(seconds: number): string {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
    if (seconds < 36 * 3_600) return `${Number((seconds / 3_600).toFixed(1))} h`;
    return `${Number((seconds / 86_400).toFixed(1))} days`;
}
