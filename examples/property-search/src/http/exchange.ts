import { findDuplicateKey } from "@property-search/contract";
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";

/** An error that the client gets as JSON. */
export class HttpError extends Error {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    /** Field of the request that is wrong. */
    readonly field: string | undefined;

    constructor(
        status: number,
        message: string,
        { field, headers = {} }: { field?: string; headers?: Record<string, string> } = {},
    ) {
        super(message);
        this.name = "HttpError";
        this.status = status;
        this.headers = headers;
        this.field = field;
    }
}

/** @throws HttpError 413 for a longer body, 415 for another type or a compressed one, 400 for a body that is no JSON object */
export async function readJson(
    request: IncomingMessage,
    maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
    const type = request.headers["content-type"] ?? "";
    if (!/^application\/json *(;|$)/i.test(type)) {
        const found = type === "" ? "is not set" : `is ${JSON.stringify(type)}`;
        throw new HttpError(415, `content-type ${found}; allowed: application/json`);
    }
    const coding = request.headers["content-encoding"] ?? "identity";
    if (coding !== "identity") {
        throw new HttpError(415, `content-encoding is ${coding.slice(0, 64)}; allowed: identity`);
    }
    const text = await readText(request, maxBytes);
    let body: unknown;
    try {
        body = JSON.parse(text);
    } catch (error) {
        throw new HttpError(400, `The body is not JSON: ${(error as Error).message}`);
    }
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
        throw new HttpError(400, "The body is not an object; allowed: a JSON object");
    }
    // Of two values of a key, neither may win.
    const key = findDuplicateKey(text)?.slice(0, 64);
    if (key === undefined) return body as Record<string, unknown>;
    const message = `${JSON.stringify(key)} is in an object twice; allowed: once`;
    throw new HttpError(400, message, { field: key });
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
    const tooLarge = () =>
        // The rest of the body is not read: the connection cannot be used again.
        new HttpError(413, `The body is too large; allowed: at most ${maxBytes} bytes`, {
            headers: { connection: "close" },
        });
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLarge();
        chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    if (!isUtf8(body)) throw new HttpError(400, "The body is not UTF-8");
    return body.toString("utf8");
}

export interface Answer {
    readonly status?: number;
    readonly type: string;
    readonly body: string;
    readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an answer; to HEAD, without its body. */
export function send(
    request: IncomingMessage,
    response: ServerResponse,
    { status = 200, type, body, headers = {} }: Answer,
): void {
    response.writeHead(status, {
        "content-type": type,
        "content-length": Buffer.byteLength(body),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        ...headers,
    });
    response.end(request.method === "HEAD" ? undefined : body);
}

export function json(body: unknown, more: Partial<Answer> = {}): Answer {
    return { type: "application/json; charset=utf-8", body: JSON.stringify(body), ...more };
}
