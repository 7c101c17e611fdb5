import type { Readable } from "node:stream";

import { wallClock } from "../../clock.ts";
import type { EntryStore, EntryWrite } from "../../cache/entryStore.ts";
import { retryWithBackoff } from "../../redis/retryWithBackoff.ts";
import { entryFacts, type EntryCodec } from "../../vector/entry.ts";
import type { Quarantines } from "../../quarantines/quarantines.ts";
import type { Invalidations } from "../../invalidations/invalidations.ts";
import { splitLines, invalidLine } from "../ndjson.ts";
import {
    parseEntryLine,
    parseHeader,
    type EntryLine,
    type ExportHeader,
    type Space,
} from "./exportFormat.ts";

export interface ImportProgress {
    /** Number of lines read, including the header. */
    lines: number;
    written: number;
    /** Entries of which Redis has the same or a newer copy. */
    skipped: number;
    rejected: number;
    /** The first rejected lines, with the reason. */
    readonly errors: { readonly line: number; readonly error: string }[];
    /** Whether the end marker was read and its count is correct. */
    complete: boolean;
}

export interface ImportDependencies {
    readonly store: EntryStore;
    readonly codec: EntryCodec;
    readonly invalidations: Invalidations;
    readonly quarantines: Pick<Quarantines, "isTrusted">;
    readonly spaceOf: (tenant: string) => Space;
    /** @returns why this pod's model has no vectors of this length, or undefined if it has */
    readonly lengthError: (dimensions: number) => string | undefined;
    /** The longest time for which an entry that exists may still be fresh. */
    readonly longestTtlSeconds: () => number;
    readonly staleSeconds: number;
}

const WRITE_BATCH_SIZE = 64;
const MAX_ERRORS_SHOWN = 20;
/** Tolerated difference between the clocks of two clusters. */
const CLOCK_SKEW_MILLISECONDS = 60_000;
const KEY = /^[\w-]{43}$/;

/**
 * Stores the valid entries of an export that are not older than those in Redis. Idempotent: an interrupted
 * import can be repeated.
 *
 * @param onHeader called when the header has been read
 * @throws HttpError for an upload that is not an export or has another key space; Error if Redis stays
 * unavailable
 */
export async function importLines(
    dependencies: ImportDependencies,
    upload: Readable,
    progress: ImportProgress,
    onHeader: (header: ExportHeader) => void,
): Promise<void> {
    const { store, codec, invalidations, quarantines, lengthError } = dependencies;
    const { longestTtlSeconds, staleSeconds } = dependencies;
    let header: ExportHeader | undefined;
    let end: number | undefined;
    let entries = 0;
    let writes: EntryWrite[] = [];
    for await (const content of splitLines(upload)) {
        if (content === "") continue;
        progress.lines += 1;
        if (!header) {
            header = parseHeader(content, dependencies.spaceOf);
            onHeader(header);
            continue;
        }
        const line = parseEntryLine(content);
        if (line?.end !== undefined) {
            end = line.end;
            continue;
        }
        entries += 1;
        const result = end === undefined ? check(line, header) : "it follows the end marker";
        if (typeof result === "string") reject(result);
        else writes.push(result);
        if (writes.length < WRITE_BATCH_SIZE) continue;
        await write(writes);
        writes = [];
    }
    await write(writes);
    if (!header) throw invalidLine(1, "the upload is empty");
    progress.complete = end === entries;

    async function write(batch: readonly EntryWrite[]): Promise<void> {
        const stored = await Promise.all(batch.map(put));
        const count = stored.filter(Boolean).length;
        progress.written += count;
        progress.skipped += batch.length - count;
    }

    /** @returns whether the entry was stored, including by an attempt whose response was lost */
    async function put(entry: EntryWrite): Promise<boolean> {
        let attempts = 0;
        const result = await retryWithBackoff(() => {
            attempts += 1;
            return store.putIfNewer(entry);
        });
        return result === "stored" || (result === "same" && attempts > 1);
    }

    function reject(error: string): void {
        progress.rejected += 1;
        if (progress.errors.length >= MAX_ERRORS_SHOWN) return;
        progress.errors.push({ line: progress.lines, error });
    }

    /** @returns the entry to store, or the reason to reject it */
    function check(line: EntryLine | undefined, { space }: ExportHeader): string | EntryWrite {
        if (line?.end !== undefined || !line || !KEY.test(line.key)) {
            return 'it is not an entry; allowed: {"key": …, "entry": …} as in an export';
        }
        const { key } = line;
        const entry = Buffer.from(line.entry, "base64");
        const facts = entryFacts(entry);
        if (!facts) return "its entry has another version or is invalid";
        const embedding = codec.decode(key, entry, undefined);
        if (!embedding) return "its checksum or its vector is invalid";
        if (facts.space !== space) return "it belongs to another tenant, epoch or model";
        const error = lengthError(embedding.vector.length);
        if (error !== undefined) return error;
        const { createdAt, freshUntil } = embedding;
        const now = wallClock();
        const milliseconds = freshUntil + staleSeconds * 1000 - now;
        if (!(createdAt <= now + CLOCK_SKEW_MILLISECONDS))
            return "its creation time is in the future";
        const ttlSeconds = longestTtlSeconds();
        if (!(freshUntil <= now + CLOCK_SKEW_MILLISECONDS + ttlSeconds * 1000)) {
            return `its lifetime exceeds this pod's ${Math.round(ttlSeconds)} s`;
        }
        if (!(milliseconds > 0)) return "it has expired";
        if (invalidations.isInvalidated(key, createdAt)) return "it was flagged or deleted";
        if (!quarantines.isTrusted(embedding))
            return "its build is quarantined, or was when it was created";
        return { key, entry, createdAt, milliseconds };
    }
}
