import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Gap } from "../prometheus/processes.ts";
import { replaceFile } from "../report/history.ts";
import { mergeBins, type Bin, type ImpactEvent } from "./bin.ts";

export const HOUR_SECONDS = 3600;
export const DAY_SECONDS = 24 * HOUR_SECONDS;
/** Hours of these days are kept in memory; of older days, only their sums. */
const DAYS_IN_MEMORY = 40;
const SCHEMA = "property-search/insights-hours";
const SCHEMA_VERSION = 1;
const FILE = /^(\d{4}-\d\d-\d\d)[.]json$/;

/** What was read of one hour. It does not change any more. */
export interface HourRecord {
    /** Unix seconds. */
    readonly from: number;
    /** Null: Prometheus has no data of this hour, but of earlier ones. */
    readonly bin: Bin | null;
    readonly events: readonly ImpactEvent[];
    readonly gaps: readonly Gap[];
}

export interface DayRecord {
    /** Unix seconds. */
    readonly from: number;
    readonly bin: Bin | undefined;
    readonly measuredHours: number;
    readonly events: readonly ImpactEvent[];
}

export interface HourStore {
    readonly has: (hour: number) => boolean;
    /** Begin of the first hour; undefined without any. */
    readonly first: () => number | undefined;
    /** Adds an hour, and writes its day. */
    readonly put: (record: HourRecord) => Promise<void>;
    /** Hours of the latest 40 days that begin in the window, ascending. */
    readonly hours: (from: number, to: number) => readonly HourRecord[];
    /** Ascending. */
    readonly days: () => readonly DayRecord[];
}

interface DayFile {
    readonly schema: typeof SCHEMA;
    readonly schemaVersion: typeof SCHEMA_VERSION;
    readonly hours: readonly HourRecord[];
}

/**
 * Keeps the hours that were read from Prometheus in a folder, since its retention is shorter than the cache's life: a file
 * per day, replaced by a rename.
 *
 * @param print gets a line for each file that cannot be read
 */
export async function openHourStore(
    folder: string,
    print: (line: string) => void,
): Promise<HourStore> {
    await mkdir(folder, { recursive: true });
    const hoursByDay = new Map<number, readonly HourRecord[]>();
    const days = new Map<number, DayRecord>();
    /** Begins of all hours. */
    const known = new Set<number>();
    let first = Infinity;
    let latest = -Infinity;

    function remember(day: number, hours: readonly HourRecord[]): void {
        const sorted = hours.toSorted((a, b) => a.from - b.from);
        hoursByDay.set(day, sorted);
        days.set(day, summarizeDay(day, sorted));
        for (const { from } of sorted) {
            known.add(from);
            first = Math.min(first, from);
        }
        latest = Math.max(latest, day);
        for (const one of hoursByDay.keys())
            if (one <= latest - DAYS_IN_MEMORY * DAY_SECONDS) hoursByDay.delete(one);
    }

    for (const name of (await readdir(folder)).sort()) {
        const [, day] = FILE.exec(name) ?? [];
        if (day === undefined) continue;
        const hours = await readDay(path.join(folder, name));
        if (typeof hours === "string") print(`${path.join(folder, name)} is not used: ${hours}`);
        else remember(Date.parse(day) / 1000, hours);
    }

    let writing = Promise.resolve();
    async function write({ from, ...rest }: HourRecord): Promise<void> {
        const day = Math.floor(from / DAY_SECONDS) * DAY_SECONDS;
        const file = path.join(folder, `${formatDay(day)}.json`);
        const stored = hoursByDay.get(day) ?? (days.has(day) ? await readDay(file) : []);
        const others = (typeof stored === "string" ? [] : stored).filter(
            (one) => one.from !== from,
        );
        const hours = [...others, { from, ...rest }];
        const content: DayFile = { schema: SCHEMA, schemaVersion: SCHEMA_VERSION, hours };
        await replaceFile(file, `${JSON.stringify(content)}\n`);
        remember(day, hours);
    }

    return {
        has: (hour) => known.has(hour),
        first: () => (known.size === 0 ? undefined : first),
        // One after the other: two hours of a day share a file.
        put: (record) => (writing = writing.catch(() => undefined).then(() => write(record))),
        hours: (from, to) =>
            [...hoursByDay.values()]
                .flat()
                .filter((hour) => hour.from >= from && hour.from < to)
                .sort((a, b) => a.from - b.from),
        days: () => [...days.values()].sort((a, b) => a.from - b.from),
    };
}

export const formatDay = (seconds: number): string =>
    new Date(seconds * 1000).toISOString().slice(0, 10);

export function summarizeDay(from: number, hours: readonly HourRecord[]): DayRecord {
    const bins = hours.flatMap(({ bin }) => bin ?? []);
    return {
        from,
        bin: mergeBins(bins),
        measuredHours: bins.length,
        events: hours.flatMap(({ events }) => events),
    };
}

/** @returns the reason if the file is none of this program */
async function readDay(file: string): Promise<readonly HourRecord[] | string> {
    try {
        const content = JSON.parse(await readFile(file, "utf8")) as Partial<DayFile>;
        const isKnown = content.schema === SCHEMA && content.schemaVersion === SCHEMA_VERSION;
        return isKnown ? (content.hours ?? []) : "it has another schema";
    } catch (error) {
        return error instanceof Error ? error.message : "it cannot be read";
    }
}
