import type { Readable } from "node:stream";

import { findDuplicateKey } from "@property-search/contract";

import { HttpError } from "../../http/protocol/error.ts";
import type { Normalise } from "../../key/normalise.ts";
import { splitLines, invalidLine } from "../ndjson.ts";

/** One text of an upload, with its line number. */
export interface Line {
    /** Starts at 1. */
    readonly line: number;
    readonly text: string;
}

export type TextFormat = "ndjson" | "plain";

export interface TextLimits {
    readonly bytes: number;
    readonly lines: number;
}

/**
 * Reads an upload line by line and buffers at most one chunk. A line is a text or, with `ndjson`, a JSON
 * string or an object with a `text`. Blank lines are skipped.
 *
 * @throws HttpError that names the line
 */
export async function* readTexts(
    upload: Readable,
    format: TextFormat,
    normalise: Normalise,
    limits: TextLimits,
): AsyncGenerator<Line, void> {
    let line = 0;
    for await (const content of splitLines(upload, limits.bytes)) {
        line += 1;
        if (content.trim() === "") continue;
        if (line > limits.lines) {
            throw new HttpError(413, `The upload has more than ${limits.lines} lines: split it`);
        }
        const text = normalise(format === "plain" ? content : parseLine(content, line));
        if (text === "") throw invalidLine(line, "its text is blank");
        yield { line, text };
    }
}

function parseLine(content: string, line: number): string {
    let value: unknown;
    try {
        value = JSON.parse(content);
    } catch {
        throw invalidLine(line, "it is not JSON");
    }
    if (findDuplicateKey(content) !== undefined)
        throw invalidLine(line, "it has a key twice; allowed: once");
    if (typeof value === "string") return value;
    const text = typeof value === "object" && value && "text" in value ? value.text : undefined;
    if (typeof text === "string") return text;
    throw invalidLine(line, 'allowed: a JSON string, or an object such as {"text":"…"}');
}
