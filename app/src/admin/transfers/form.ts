import { ENTRY_VERSION } from "../../vector/entry.ts";
import { SCHEMA_VERSION } from "../../key/key.ts";
import { HttpError } from "../../http/error.ts";
import { wrongLine } from "../lines.ts";

/**
 * An export is NDJSON: this head, a line `{"key", "entry"}` for each entry, and at last
 * `{"end": number of entries}`, without which it was cut off. `entry` is the stored form in base64, with
 * its own checksum over key and content.
 */
export interface Head {
    readonly format: string;
    /** Versions of the keys and of the stored form. */
    readonly keys: string;
    readonly entries: number;
    readonly tenant: string;
    readonly epoch: string;
    readonly provider: string;
    readonly model: string;
    readonly revision: string;
    /** Digest of the above, as each entry holds it. */
    readonly space: string;
}

/** A tenant's space of keys in this pod, as it is now. */
export type Space = Omit<Head, "format" | "keys" | "entries">;

const FORMAT = "embedding-cache/1";
const COMPARED = ["keys", "entries", "provider", "model", "revision", "epoch", "space"] as const;

export function headOf(space: Space): Head {
    return { format: FORMAT, keys: SCHEMA_VERSION, entries: ENTRY_VERSION, ...space };
}

export type EntryLine =
    | { readonly key: string; readonly entry: string; readonly end?: undefined }
    | { readonly end: number };

/** @returns undefined for what is neither an entry nor the end */
export function readEntryLine(content: string): EntryLine | undefined {
    const { key, entry, end } = objectOf(content) ?? {};
    if (typeof end === "number") return { end };
    return typeof key === "string" && typeof entry === "string" ? { key, entry } : undefined;
}

/**
 * @param spaceOf a tenant
 * @throws HttpError when the entries would never be found here, or mean something else
 */
export function readHead(content: string, spaceOf: (tenant: string) => Space): Head {
    const head = objectOf(content);
    if (head?.format !== FORMAT || typeof head.tenant !== "string") {
        throw wrongLine(1, `it is not the head of an export of the format ${FORMAT}`);
    }
    const ours = headOf(spaceOf(head.tenant));
    const field = COMPARED.find((one) => head[one] !== ours[one]);
    if (field === undefined) return ours;
    const value = head[field];
    const theirs = value === undefined ? "missing" : JSON.stringify(value).slice(0, 128);
    const message = `The export's ${field} is ${theirs}; allowed: ${JSON.stringify(ours[field])}, as this pod has`;
    throw new HttpError(409, message, { param: field, code: "wrong_space" });
}

function objectOf(content: string): Readonly<Record<string, unknown>> | undefined {
    try {
        const value: unknown = JSON.parse(content);
        return typeof value === "object" && value !== null
            ? (value as Readonly<Record<string, unknown>>)
            : undefined;
    } catch {
        return undefined;
    }
}
