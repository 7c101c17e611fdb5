import { UserError } from "@property-search/contract";
import { readFile } from "node:fs/promises";
import { createPageApi, type PageOptions } from "../publish.ts";
import { replaceFile } from "../report/history.ts";
import { parseTuningRecord, type TuningRecord } from "./record.ts";

/** Where decisions are kept. */
export interface RecordStore {
    /** @returns undefined if there is none yet. @throws UserError if it cannot be read or is damaged */
    readonly read: () => Promise<TuningRecord | undefined>;
    readonly write: (record: TuningRecord) => Promise<void>;
}

/** The page keeps the record with its history. */
export function createPageStore(options: PageOptions): RecordStore {
    const api = createPageApi(options);
    return {
        read: async () => {
            const found = await api.get("tuning");
            return found === undefined ? undefined : parseTuningRecord(found, "the page's record");
        },
        write: (record) => api.put("tuning", record),
    };
}

export function createFileStore(file: string): RecordStore {
    return {
        read: async () => {
            let text: string;
            try {
                text = await readFile(file, "utf8");
            } catch (error) {
                if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
                throw error;
            }
            return parseTuningRecord(parseJson(text, file), file);
        },
        write: (record) => replaceFile(file, `${JSON.stringify(record, undefined, 4)}\n`),
    };
}

function parseJson(text: string, file: string): unknown {
    try {
        return JSON.parse(text) as unknown;
    } catch {
        throw new UserError(`${file} is not JSON; allowed: a record of tuning, or no file`);
    }
}
