import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const MIN_SECONDS = 20;

/** Parses `30s`, `10m` or `1h`. @returns seconds @throws InvalidArgumentError */
export function parseDuration(text: string): number {
    const [, count = "", unit = ""] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
    const seconds = Number(count) * (UNITS[unit] ?? NaN);
    if (seconds >= MIN_SECONDS) return seconds;
    throw new InvalidArgumentError(`allowed: at least ${MIN_SECONDS}s, for example 90s, 10m or 1h`);
}
