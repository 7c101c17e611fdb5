import { HttpError } from "./error.ts";
import type { HttpRequest } from "./exchange.ts";

/** 2,048 long listings fit; what is larger is refused before it is in memory. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

export interface BodyReader {
    readonly done: (body: Buffer) => void;
    readonly fail: (error: HttpError) => void;
    /** The client left in the middle of its body: nobody waits for an answer. */
    readonly gone: () => void;
}

const NOTHING = Buffer.alloc(0);

/** Reads a whole body; a small one arrives in one piece and is handed on as it is. */
export function readBody(request: HttpRequest, { done, fail, gone }: BodyReader): void {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let bytes = 0;
    let refused = false;
    request.readInto({
        chunk: (chunk) => {
            bytes += chunk.length;
            // The rest is read and thrown away: a client that is still sending would not see the answer.
            if (refused) return;
            if (bytes > MAX_BODY_BYTES) {
                refused = true;
                first = undefined;
                rest = undefined;
                fail(new HttpError(413, `The body is larger than ${MAX_BODY_BYTES} bytes`));
            } else if (first === undefined) first = chunk;
            else (rest ??= [first]).push(chunk);
        },
        end: () => {
            if (!refused) done(rest ? Buffer.concat(rest) : (first ?? NOTHING));
        },
        gone: () => {
            if (!refused) gone();
        },
    });
}
