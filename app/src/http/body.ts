import type { IncomingMessage } from "node:http";

import { HttpError } from "./error.ts";

/** 2,048 long listings fit; what is larger is refused before it is in memory. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** Reads a whole body; a small one arrives in one piece and is handed on as it is. */
export function readBody(
    request: IncomingMessage,
    done: (body: Buffer) => void,
    fail: (error: HttpError) => void,
): void {
    if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) {
        refuse();
        return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", collect);
    request.on("end", finish);

    function collect(chunk: Buffer): void {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes <= MAX_BODY_BYTES) return;
        request.off("data", collect);
        request.off("end", finish);
        chunks.length = 0;
        refuse();
    }

    function finish(): void {
        const [only, second] = chunks;
        done(only && !second ? only : Buffer.concat(chunks));
    }

    /** The rest is read and thrown away: a client that is still sending would not see the answer. */
    function refuse(): void {
        request.resume();
        fail(new HttpError(413, `The body is larger than ${MAX_BODY_BYTES} bytes`));
    }
}
