import type { Readable } from "node:stream";

import { HttpError } from "../../http/error.ts";
import type { Normalise } from "../../key/normalise.ts";
import { splitLines, wrongLine } from "../lines.ts";

/** One text of an upload, and where it stood. */
export interface Line {
    /** From 1 on. */
    readonly line: number;
    readonly text: string;
}

export type TextFormat = "ndjson" | "plain";

export interface TextLimits {
    readonly bytes: number;
    readonly lines: number;
}

/**
 * Reads an upload line by line and keeps no more than one chunk of it: a text per line, or with ndjson
 * a JSON string or an object with a text per line. Blank lines are skipped.
 *
 * @throws HttpError that names the line.
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
        if (text === "") throw wrongLine(line, "its text is blank");
        yield { line, text };
    }
}

function parseLine(content: string, line: number): string {
    let value: unknown;
    try {
        value = JSON.parse(content);
    } catch {
        throw wrongLine(line, "it is not JSON");
    }
    if (typeof value === "string") return value;
    const text = typeof value === "object" && value && "text" in value ? value.text : undefined;
    if (typeof text === "string") return text;
    throw wrongLine(line, 'allowed: a JSON string, or an object such as {"text":"…"}');
}
