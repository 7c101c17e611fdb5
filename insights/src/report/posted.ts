import { readFile } from "node:fs/promises";
import path from "node:path";
import { replaceFile } from "./history.ts";

/** The message of a day that Slack has accepted. */
export interface Posted {
    /** Whether it had figures, instead of the reason why there are none. */
    readonly hasFigures: boolean;
}

/** Which messages Slack has, so that repeated runs of a day do not repeat them. */
export interface PostedStore {
    /** @returns undefined if Slack has none of that day */
    readonly read: (day: string) => Promise<Posted | undefined>;
    readonly write: (day: string, posted: Posted) => Promise<void>;
}

/** In the day's folder, next to its report, with which it is removed. */
export function createFolderPosted(folder: string): PostedStore {
    const fileOf = (day: string) => path.join(folder, day, "slack.json");
    return {
        read: async (day) => {
            try {
                return parsePosted(JSON.parse(await readFile(fileOf(day), "utf8")));
            } catch {
                // None yet, or damaged: a repeated message does less harm than none.
                return undefined;
            }
        },
        write: (day, posted) => replaceFile(fileOf(day), `${JSON.stringify(posted)}\n`),
    };
}

/** @returns undefined if it is no message of a day */
export function parsePosted(content: unknown): Posted | undefined {
    const { hasFigures } = (content ?? {}) as Record<string, unknown>;
    return typeof hasFigures === "boolean" ? { hasFigures } : undefined;
}
