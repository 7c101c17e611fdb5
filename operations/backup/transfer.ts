import { ClusterError } from "../cluster/connect.ts";
import { readBackup, writeBackup, type BackupEntry } from "./file.ts";
import type { Primaries, Primary } from "./primaries.ts";

/** Keys per request: a few MiB of vectors in memory. */
const BATCH = 200;
const NEVER = -1;

/** @param report receives the number of entries after each batch */
export async function backUp(
    primaries: Primaries,
    file: string,
    report: (entries: number) => void,
): Promise<number> {
    async function* entries() {
        let count = 0;
        for (const primary of primaries.all) {
            for await (const batch of readBatches(primary)) {
                yield* batch;
                count += batch.length;
                report(count);
            }
        }
    }
    const header = { takenAt: new Date().toISOString(), redisVersion: primaries.version };
    return writeBackup(file, header, entries());
}

/** Reads the entries of one primary. Entries that are evicted or expire meanwhile are skipped. */
async function* readBatches({ client }: Primary): AsyncGenerator<BackupEntry[]> {
    let cursor = "0";
    do {
        const [next, keys] = await client.scanBuffer(cursor, "COUNT", BATCH);
        cursor = next.toString();
        const replies = await Promise.all(
            keys.map((key) => Promise.all([client.dumpBuffer(key), client.pexpiretime(key)])),
        );
        yield replies.flatMap(([value, expiresAt], index) => {
            const key = keys[index];
            // The type does not include null, which is returned for a key that no longer exists.
            if ((value as Buffer | null) === null || key === undefined) return [];
            return [{ key, value, expiresAt: expiresAt === NEVER ? undefined : expiresAt }];
        });
    } while (cursor !== "0");
}

export interface RestoreCounts {
    readonly written: number;
    /** Keys that already exist in Redis and are newer. */
    readonly kept: number;
    /** Expired entries. */
    readonly expired: number;
}

/**
 * Restores a backup into a Redis of any layout. Idempotent.
 *
 * @throws ClusterError if the file is truncated, or this Redis cannot read an entry
 */
export async function restore(
    primaries: Primaries,
    file: string,
    report: (restored: RestoreCounts) => void,
): Promise<RestoreCounts> {
    const counts = { written: 0, kept: 0, expired: 0 };
    let batch: BackupEntry[] = [];
    const flush = async () => {
        const answers = await Promise.all(batch.map((entry) => restoreOne(primaries, entry)));
        for (const answer of answers) counts[answer] += 1;
        batch = [];
        report(counts);
    };
    for await (const entry of readBackup(file)) {
        batch.push(entry);
        if (batch.length >= BATCH) await flush();
    }
    await flush();
    return counts;
}

async function restoreOne(
    primaries: Primaries,
    { key, value, expiresAt }: BackupEntry,
): Promise<keyof RestoreCounts> {
    if (expiresAt !== undefined && expiresAt <= Date.now()) return "expired";
    try {
        await primaries.primaryFor(key).client.restore(key, expiresAt ?? 0, value, "ABSTTL");
        return "written";
    } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (message.startsWith("BUSYKEY")) return "kept";
        throw new ClusterError(
            `Redis ${primaries.version} rejected an entry: ${message}; run the same command again to continue`,
        );
    }
}
