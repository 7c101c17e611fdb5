import { findDuplicateKey } from "@property-search/contract";

import { ENTRY_VERSION } from "../../vector/entry.ts";
import { SCHEMA_VERSION } from "../../key/key.ts";
import { HttpError } from "../../http/protocol/error.ts";
import { invalidLine } from "../ndjson.ts";

/**
 * An export is NDJSON: this header, a line `{"key", "entry"}` per entry, and `{"end": number of entries}`.
 * Without the end marker, the export is incomplete. `entry` is the stored form in base64, with a checksum
 * over key and content.
 */
export interface ExportHeader {
    readonly format: string;
    /** Versions of the keys and of the stored form. */
    readonly keys: string;
    readonly entries: number;
    readonly tenant: string;
    readonly epoch: string;
    readonly provider: string;
    readonly model: string;
    readonly revision: string;
    /** Digest of the fields above; each entry contains it. */
    readonly space: string;
}

/** Current key space of a tenant in this pod. */
export type Space = Omit<ExportHeader, "format" | "keys" | "entries">;

const FORMAT = "embedding-cache/1";
const COMPARED = ["keys", "entries", "provider", "model", "revision", "epoch", "space"] as const;

export function createHeader(space: Space): ExportHeader {
    return { format: FORMAT, keys: SCHEMA_VERSION, entries: ENTRY_VERSION, ...space };
}

export type EntryLine =
    | { readonly key: string; readonly entry: string; readonly end?: undefined }
    | { readonly end: number };

/** @returns undefined if the line is neither an entry nor the end marker */
export function parseEntryLine(content: string): EntryLine | undefined {
    const { key, entry, end } = parseObject(content) ?? {};
    if (typeof end === "number") return { end };
    return typeof key === "string" && typeof entry === "string" ? { key, entry } : undefined;
}

/**
 * @param spaceOf returns the key space of a tenant
 * @throws HttpError if this pod could not find the entries, or they have another meaning here
 */
export function parseHeader(content: string, spaceOf: (tenant: string) => Space): ExportHeader {
    const header = parseObject(content);
    if (header?.format !== FORMAT || typeof header.tenant !== "string") {
        throw invalidLine(1, `it is not the header of an export in the format ${FORMAT}`);
    }
    const expected = createHeader(spaceOf(header.tenant));
    const field = COMPARED.find((one) => header[one] !== expected[one]);
    if (field === undefined) return expected;
    const value = header[field];
    const found = value === undefined ? "missing" : JSON.stringify(value).slice(0, 128);
    const message = `The export's ${field} is ${found}; allowed: ${JSON.stringify(expected[field])}, the value of this pod`;
    throw new HttpError(409, message, { param: field, code: "space_mismatch" });
}

function parseObject(content: string): Readonly<Record<string, unknown>> | undefined {
    try {
        const value: unknown = JSON.parse(content);
        if (findDuplicateKey(content) !== undefined) return undefined;
        return typeof value === "object" && value !== null
            ? (value as Readonly<Record<string, unknown>>)
            : undefined;
    } catch {
        return undefined;
    }
}
