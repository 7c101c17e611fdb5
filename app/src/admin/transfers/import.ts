import type { Readable } from "node:stream";

import { wallClock } from "../../clock.ts";
import type { EntryStore, EntryWrite } from "../../cache/entryStore.ts";
import { patiently } from "../../cache/patiently.ts";
import { entryFacts, type EntryCodec } from "../../vector/entry.ts";
import type { Trials } from "../../trials/trials.ts";
import type { Withdrawals } from "../../withdrawals/withdrawals.ts";
import { splitLines, wrongLine } from "../lines.ts";
import { readEntryLine, readHead, type EntryLine, type Head, type Space } from "./form.ts";

export interface ImportProgress {
    /** Lines that were read, with the head. */
    lines: number;
    written: number;
    /** Entries of which Redis has the same or a newer one. */
    kept: number;
    refused: number;
    /** The first that were refused, and why. */
    readonly refusals: { readonly line: number; readonly error: string }[];
    /** The export's end was read, and it has as many entries as it says. */
    complete: boolean;
}

export interface ImportParts {
    readonly store: EntryStore;
    readonly codec: EntryCodec;
    readonly withdrawals: Withdrawals;
    readonly trials: Pick<Trials, "trusted">;
    readonly spaceOf: (tenant: string) => Space;
    /** Why this pod's model has no vectors of this length; undefined when it has. */
    readonly lengthFault: (dimensions: number) => string | undefined;
    readonly ttlSeconds: number;
    readonly staleSeconds: number;
}

const WRITTEN_AT_ONCE = 64;
const MAX_ERRORS_SHOWN = 20;
/** Clocks of two clusters differ. */
const CLOCK_SKEW_MILLISECONDS = 60_000;
const KEY = /^[\w-]{43}$/;

/**
 * Stores the entries of an export that are sound and no older than what is there. Run again it changes
 * nothing, so what was interrupted is simply repeated.
 *
 * @param begun is told whose entries they are, when that is known
 * @throws HttpError for an upload that is no export or is of another space; Error when Redis stays away
 */
export async function importLines(
    parts: ImportParts,
    upload: Readable,
    progress: ImportProgress,
    begun: (head: Head) => void,
): Promise<void> {
    const { store, codec, withdrawals, trials, lengthFault } = parts;
    const { ttlSeconds, staleSeconds } = parts;
    let head: Head | undefined;
    let end: number | undefined;
    let entries = 0;
    let writes: EntryWrite[] = [];
    for await (const content of splitLines(upload)) {
        if (content === "") continue;
        progress.lines += 1;
        if (!head) {
            head = readHead(content, parts.spaceOf);
            begun(head);
            continue;
        }
        const line = readEntryLine(content);
        if (line?.end !== undefined) {
            end = line.end;
            continue;
        }
        entries += 1;
        const checked = end === undefined ? check(line, head) : "it stands behind the export's end";
        if (typeof checked === "string") refuse(checked);
        else writes.push(checked);
        if (writes.length < WRITTEN_AT_ONCE) continue;
        await write(writes);
        writes = [];
    }
    await write(writes);
    if (!head) throw wrongLine(1, "the upload is empty");
    progress.complete = end === entries;

    async function write(batch: readonly EntryWrite[]): Promise<void> {
        const stored = await Promise.all(batch.map(put));
        const count = stored.filter(Boolean).length;
        progress.written += count;
        progress.kept += batch.length - count;
    }

    /** @returns whether it was stored, also by a try whose answer was lost */
    async function put(entry: EntryWrite): Promise<boolean> {
        let tries = 0;
        const result = await patiently(() => {
            tries += 1;
            return store.putIfNewer(entry);
        });
        return result === "stored" || (result === "same" && tries > 1);
    }

    function refuse(error: string): void {
        progress.refused += 1;
        if (progress.refusals.length >= MAX_ERRORS_SHOWN) return;
        progress.refusals.push({ line: progress.lines, error });
    }

    /** @returns why it is refused, or what to store */
    function check(line: EntryLine | undefined, { space }: Head): string | EntryWrite {
        if (line?.end !== undefined || !line || !KEY.test(line.key)) {
            return 'it is not an entry; allowed: {"key": …, "entry": …} as an export has them';
        }
        const { key } = line;
        const entry = Buffer.from(line.entry, "base64");
        const facts = entryFacts(entry);
        if (!facts) return "its entry is of another version, or none";
        const embedding = codec.open(key, entry, undefined);
        if (!embedding) return "its checksum is wrong, or its vector cannot be used";
        if (facts.space !== space) return "it is of another tenant, epoch or model";
        const fault = lengthFault(embedding.vector.length);
        if (fault !== undefined) return fault;
        const { createdAt, freshUntil } = embedding;
        const now = wallClock();
        const milliseconds = freshUntil + staleSeconds * 1000 - now;
        if (!(createdAt <= now + CLOCK_SKEW_MILLISECONDS)) return "it was made in the future";
        if (!(freshUntil <= now + CLOCK_SKEW_MILLISECONDS + ttlSeconds * 1000)) {
            return `it would be fresh for longer than this pod's ${ttlSeconds} s`;
        }
        if (!(milliseconds > 0)) return "its time is over";
        if (withdrawals.covers(key, createdAt)) return "it was flagged as wrong, or deleted";
        if (!trials.trusted(embedding)) return "its build is on trial, or was when it was made";
        return { key, entry, createdAt, milliseconds };
    }
}
