import type { Readable } from "node:stream";
import { TextDecoder } from "node:util";

import { HttpError } from "../http/protocol/error.ts";

/** Longer than any valid line: 8,192 tokens, or a vector of 12,000 numbers. */
const MAX_LINE_CHARACTERS = 256 * 1024;

/**
 * Reads an upload line by line and buffers at most one chunk.
 *
 * @throws HttpError that names the line
 */
export async function* splitLines(
    upload: Readable,
    maxBytes = Infinity,
): AsyncGenerator<string, void> {
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
        const long = lines.findIndex(({ length }) => length > MAX_LINE_CHARACTERS);
        if (long >= 0) {
            throw invalidLine(line + long, `it is longer than ${MAX_LINE_CHARACTERS} characters`);
        }
        rest = lines.pop() ?? "";
        line += lines.length;
        yield* lines;
    }
    yield rest + decode(decoder, line);
}

function decode(decoder: TextDecoder, line: number, chunk?: Buffer): string {
    try {
        return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
        throw invalidLine(line, "it is not UTF-8");
    }
}

export function invalidLine(line: number, words: string): HttpError {
    return new HttpError(400, `Line ${line} of the upload is invalid: ${words}`, {
        param: `line ${line}`,
    });
}
