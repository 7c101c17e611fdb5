import { formatSpan } from "../report/format.ts";
import type { Figure, Measured } from "../impact/view.ts";

const LANGUAGE = "en-GB";

const clock = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat(LANGUAGE, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
});
const shortDay = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short" });
const day = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short", year: "numeric" });
const dayAndClock = new Intl.DateTimeFormat(LANGUAGE, {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
});

/** Times are those of the reader's time zone. */
export const formatClock = (seconds: number): string => clockSeconds.format(seconds * 1000);
export const formatDate = (time: string): string => day.format(Date.parse(time));
export const formatInstant = (time: string): string => dayAndClock.format(Date.parse(time));
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Labels of a time axis: a day at midnight, otherwise the time. */
export function formatTick(seconds: number, stepSeconds: number): string {
    const date = new Date(seconds * 1000);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
    return stepSeconds >= 86_400 || isMidnight ? shortDay.format(date) : clock.format(date);
}

/** A point's time: `30 Nov, 14:00–14:15`. */
export function formatPeriod(from: number, to: number): string {
    if (to - from >= 86_400) return shortDay.format(from * 1000);
    return `${shortDay.format(from * 1000)}, ${clock.format(from * 1000)}–${clock.format(to * 1000)}`;
}

/** How much of a time was measured, if not all of it. */
export function describeMeasured({ from, to, measuredSeconds, state }: Measured): string {
    const span = (Date.parse(to) - Date.parse(from)) / 1000;
    if (state === "not measured") return "nothing was measured";
    const missing = span - measuredSeconds;
    return missing <= span * 0.001
        ? `${formatSpan(span)} measured`
        : `${formatSpan(span)}, of which ${formatSpan(missing)} are not measured`;
}

export const isKnown = (figure: Figure): figure is number => figure !== null;

export const plural = (count: number, one: string, several = `${one}s`): string =>
    `${count.toLocaleString("en-US")} ${count === 1 ? one : several}`;
