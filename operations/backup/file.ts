import { createReadStream, createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { ClusterError } from "../cluster/connect.ts";

const FORMAT = "property-search/redis-backup/1";

export interface BackupHeader {
    /** ISO 8601. */
    readonly takenAt: string;
    /** Version of the source Redis; older versions cannot read its entries. */
    readonly redisVersion: string;
}

/** A key with its value as returned by DUMP. */
export interface BackupEntry {
    readonly key: Buffer;
    readonly value: Buffer;
    /** Expiry as Unix time in milliseconds; undefined: never. */
    readonly expiresAt: number | undefined;
}

/**
 * Writes a backup as a gzip file of JSON lines: the header, the entries, and their number, which marks a complete file. The
 * file gets its name when it is complete.
 *
 * @returns the number of entries
 */
export async function writeBackup(
    file: string,
    header: BackupHeader,
    entries: AsyncIterable<BackupEntry>,
): Promise<number> {
    let count = 0;
    async function* lines() {
        yield `${JSON.stringify({ format: FORMAT, ...header })}\n`;
        for await (const { key, value, expiresAt } of entries) {
            count += 1;
            const texts = { key: key.toString("base64"), value: value.toString("base64") };
            yield `${JSON.stringify({ ...texts, ...(expiresAt !== undefined && { expiresAt }) })}\n`;
        }
        yield `${JSON.stringify({ end: count })}\n`;
    }
    const part = `${file}.part`;
    await pipeline(Readable.from(lines()), createGzip(), createWriteStream(part, { mode: 0o600 }));
    await rename(part, file);
    return count;
}

/**
 * Reads a backup, entry by entry.
 *
 * @throws ClusterError for a file that is no backup, or is truncated; the latter after its last entry
 */
export async function* readBackup(file: string): AsyncGenerator<BackupEntry> {
    let count = 0;
    let line = 0;
    let isWhole = false;
    try {
        for await (const text of readLines(file)) {
            line += 1;
            const fields = parseLine(text, file, line);
            if (line === 1) {
                if (fields.format === FORMAT) continue;
                throw new ClusterError(
                    `${file} is ${JSON.stringify(fields.format)}; allowed: a backup, ${FORMAT}`,
                );
            }
            if (typeof fields.end === "number") isWhole = fields.end === count;
            else {
                count += 1;
                yield parseEntry(fields, file, line);
            }
        }
    } catch (error) {
        if (error instanceof ClusterError) throw error;
        throw new ClusterError(`${file}, after ${count} entries: ${(error as Error).message}`);
    }
    if (!isWhole) throw new ClusterError(`${file} is truncated after ${count} entries`);
}

/** Checks that a file starts like a backup. @throws ClusterError if it does not */
export async function requireBackup(file: string): Promise<void> {
    const entries = readBackup(file);
    await entries.next();
    await entries.return(undefined);
}

function readLines(file: string): AsyncIterable<string> {
    const packed = createReadStream(file);
    const unpacked = createGunzip();
    // The line reader reports errors of the file.
    pipeline(packed, unpacked).catch((error: unknown) => unpacked.destroy(error as Error));
    return createInterface({ input: unpacked, crlfDelay: Infinity });
}

type Fields = Readonly<Record<string, unknown>>;

function parseLine(text: string, file: string, line: number): Fields {
    try {
        const value: unknown = JSON.parse(text);
        if (typeof value === "object" && value !== null) return value as Fields;
    } catch {
        // Reported below.
    }
    throw new ClusterError(
        `${file}, line ${line} is not a JSON object; allowed: a line of a backup`,
    );
}

function parseEntry({ key, value, expiresAt }: Fields, file: string, line: number): BackupEntry {
    if (typeof key !== "string" || typeof value !== "string") {
        throw new ClusterError(
            `${file}, line ${line} lacks a key or a value; allowed: both, in base64`,
        );
    }
    return {
        key: Buffer.from(key, "base64"),
        value: Buffer.from(value, "base64"),
        expiresAt: typeof expiresAt === "number" ? expiresAt : undefined,
    };
}
