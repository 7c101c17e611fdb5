import type { Readable } from "node:stream";
import { TextDecoder } from "node:util";

import { HttpError } from "../../http/error.ts";
import type { Normalise } from "../../key/normalise.ts";

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

/** Far above 8,192 tokens. What is longer is not a list of texts. */
const MAX_LINE_CHARACTERS = 256 * 1024;

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

async function* splitLines(upload: Readable, maxBytes: number): AsyncGenerator<string, void> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let rest = "";
    let bytes = 0;
    let line = 1;
    for await (const chunk of upload as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) {
            throw new HttpError(413, `The upload is larger than ${maxBytes} bytes: split it`);
        }
        const lines = (rest + decode(decoder, line, chunk)).split("\n");
        rest = lines.pop() ?? "";
        line += lines.length;
        if (rest.length > MAX_LINE_CHARACTERS) {
            throw wrongLine(line, `it is longer than ${MAX_LINE_CHARACTERS} characters`);
        }
        yield* lines;
    }
    yield rest + decode(decoder, line);
}

function decode(decoder: TextDecoder, line: number, chunk?: Buffer): string {
    try {
        return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
        throw wrongLine(line, "from here on it is not UTF-8");
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

function wrongLine(line: number, words: string): HttpError {
    return new HttpError(400, `Line ${line} of the upload is wrong: ${words}`, {
        param: `line ${line}`,
    });
}
