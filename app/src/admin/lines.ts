import type { Readable } from "node:stream";
import { TextDecoder } from "node:util";

import { HttpError } from "../http/error.ts";

/** Longer than any line that means something: 8,192 tokens, or a vector of 12,000 numbers. */
const MAX_LINE_CHARACTERS = 256 * 1024;

/**
 * Reads an upload line by line and keeps no more than one chunk of it.
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
            throw wrongLine(line + long, `it is longer than ${MAX_LINE_CHARACTERS} characters`);
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
        throw wrongLine(line, "from here on it is not UTF-8");
    }
}

export function wrongLine(line: number, words: string): HttpError {
    return new HttpError(400, `Line ${line} of the upload is wrong: ${words}`, {
        param: `line ${line}`,
    });
}
