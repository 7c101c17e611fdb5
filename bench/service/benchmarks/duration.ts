import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const LEAST_SECONDS = 20;

/** Reads `30s`, `10m` or `1h`. @returns seconds @throws InvalidArgumentError */
export function parseDuration(text: string): number {
    const [, count = "", unit = ""] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
    const seconds = Number(count) * (UNITS[unit] ?? NaN);
    if (seconds >= LEAST_SECONDS) return seconds;
    throw new InvalidArgumentError(`give at least ${LEAST_SECONDS}s, such as 90s, 10m or 1h`);
}
