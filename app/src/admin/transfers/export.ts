import { wallClock } from "../../clock.ts";
import type { EntryStore } from "../../cache/entryStore.ts";
import { patiently } from "../../cache/patiently.ts";
import { entryFacts, type EntryCodec } from "../../vector/entry.ts";
import type { Trials } from "../../trials/trials.ts";
import type { Withdrawals } from "../../withdrawals/withdrawals.ts";
import { headOf, type Space } from "./form.ts";

export interface ExportProgress {
    /** Keys that were looked at, of about so many in Redis. */
    scanned: number;
    keys: number;
    entries: number;
}

export interface ExportParts {
    readonly store: EntryStore;
    readonly codec: EntryCodec;
    readonly withdrawals: Withdrawals;
    readonly trials: Pick<Trials, "trusted">;
    readonly staleSeconds: number;
}

/**
 * The entries of a space as lines, a few dozen at a time: the next are read when these are taken.
 *
 * @throws Error when Redis stays away: then the end is missing
 */
export async function* exportedLines(
    { store, codec, withdrawals, trials, staleSeconds }: ExportParts,
    space: Space,
    progress: ExportProgress,
): AsyncGenerator<string, void> {
    yield lineOf(headOf(space));
    for await (const keys of store.keys()) {
        const stored = keys.length > 0 ? await patiently(() => store.read(keys)) : [];
        const lines = keys.flatMap((key, index) => {
            const entry = stored[index];
            return entry && isWanted(key, entry)
                ? [lineOf({ key, entry: entry.toString("base64") })]
                : [];
        });
        progress.scanned += keys.length;
        progress.entries += lines.length;
        if (lines.length > 0) yield lines.join("");
    }
    yield lineOf({ end: progress.entries });

    function isWanted(key: string, entry: Buffer): boolean {
        if (entryFacts(entry)?.space !== space.space) return false;
        const embedding = codec.open(key, entry, undefined);
        if (!embedding || withdrawals.covers(key, embedding.createdAt)) return false;
        // Where they are taken to, nobody knows of the trial.
        if (!trials.trusted(embedding)) return false;
        return embedding.freshUntil + staleSeconds * 1000 > wallClock();
    }
}

function lineOf(value: object): string {
    return `${JSON.stringify(value)}\n`;
}
