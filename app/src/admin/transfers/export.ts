import { wallClock } from "../../clock.ts";
import type { EntryStore } from "../../cache/entryStore.ts";
import { retryWithBackoff } from "../../redis/retryWithBackoff.ts";
import { entryFacts, type EntryCodec } from "../../vector/entry.ts";
import type { Quarantines } from "../../quarantines/quarantines.ts";
import type { Invalidations } from "../../invalidations/invalidations.ts";
import { createHeader, type Space } from "./exportFormat.ts";

export interface ExportProgress {
    /** Keys scanned so far, and the approximate total in Redis. */
    scanned: number;
    keys: number;
    entries: number;
}

export interface ExportDependencies {
    readonly store: EntryStore;
    readonly codec: EntryCodec;
    readonly invalidations: Invalidations;
    readonly quarantines: Pick<Quarantines, "isTrusted">;
    readonly staleSeconds: number;
}

/**
 * Yields the entries of a key space as lines, a few dozen at a time, at the speed of the consumer.
 *
 * @throws Error if Redis stays unavailable; the end marker is then missing
 */
export async function* exportLines(
    { store, codec, invalidations, quarantines, staleSeconds }: ExportDependencies,
    space: Space,
    progress: ExportProgress,
): AsyncGenerator<string, void> {
    yield toLine(createHeader(space));
    for await (const keys of store.keys()) {
        const stored = keys.length > 0 ? await retryWithBackoff(() => store.read(keys)) : [];
        const lines = keys.flatMap((key, index) => {
            const entry = stored[index];
            return entry && isWanted(key, entry)
                ? [toLine({ key, entry: entry.toString("base64") })]
                : [];
        });
        progress.scanned += keys.length;
        progress.entries += lines.length;
        if (lines.length > 0) yield lines.join("");
    }
    yield toLine({ end: progress.entries });

    function isWanted(key: string, entry: Buffer): boolean {
        if (entryFacts(entry)?.space !== space.space) return false;
        const embedding = codec.decode(key, entry, undefined);
        if (!embedding || invalidations.isInvalidated(key, embedding.createdAt)) return false;
        // The target of the export has no quarantine record of the build.
        if (!quarantines.isTrusted(embedding)) return false;
        return embedding.freshUntil + staleSeconds * 1000 > wallClock();
    }
}

function toLine(value: object): string {
    return `${JSON.stringify(value)}\n`;
}
