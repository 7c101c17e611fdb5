import { findDuplicateKey } from "@property-search/contract";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** An error that is answered with a status and one sentence. */
export class HttpError extends Error {
    override readonly name = "HttpError";
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;

    constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
        super(message);
        this.status = status;
        this.headers = headers;
    }
}

export interface Answer {
    readonly status?: number;
    readonly type: string;
    readonly body: string | Buffer;
    readonly headers?: Readonly<Record<string, string>>;
    /** Content-Security-Policy. Default: nothing may be loaded */
    readonly policy?: string;
    /** Cache-Control. Default: no-store */
    readonly caching?: string;
}

const NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** Smaller bodies do not become smaller. */
const MIN_COMPRESSED_BYTES = 1_024;
const compressions = {
    br: (body: Buffer) =>
        promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    gzip: (body: Buffer) => promisify(gzip)(body),
} as const;

type Encoding = keyof typeof compressions;

/** Compressed bodies of files that do not change. */
const compressed = new WeakMap<Buffer, Partial<Record<Encoding, Promise<Buffer>>>>();

/** Answers with ETag, compression and the headers that each answer needs; HEAD gets no body. */
export async function send(
    request: IncomingMessage,
    response: ServerResponse,
    { status = 200, type, body, headers = {}, policy = NOTHING, caching = "no-store" }: Answer,
): Promise<void> {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const etag = etagOf(bytes);
    const all: Record<string, string> = {
        "content-type": type,
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        // Not no-referrer: browsers would then hide the origin of the login form.
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": caching,
        vary: "accept-encoding, authorization, cookie",
        ...(status === 200 && { etag }),
        ...headers,
    };
    if (status === 200 && listOf(request.headers["if-none-match"]).includes(etag)) {
        response.writeHead(304, all).end();
        return;
    }
    const encoding = bytes.length < MIN_COMPRESSED_BYTES ? undefined : encodingFor(request);
    const content = encoding === undefined ? bytes : await compress(bytes, encoding);
    response.writeHead(status, {
        ...all,
        "content-length": String(content.length),
        ...(encoding !== undefined && { "content-encoding": encoding }),
    });
    response.end(request.method === "HEAD" ? undefined : content);
}

export const sendJson = (
    request: IncomingMessage,
    response: ServerResponse,
    content: unknown,
    rest: Omit<Answer, "type" | "body"> = {},
): Promise<void> =>
    send(request, response, {
        type: "application/json; charset=utf-8",
        body: `${JSON.stringify(content)}\n`,
        ...rest,
    });

export const etagOf = (body: string | Buffer): string =>
    `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;

const listOf = (header = ""): readonly string[] =>
    header.split(",").map((one) => one.trim().replace(/^W\//, ""));

function encodingFor({ headers }: IncomingMessage): Encoding | undefined {
    const accepted = listOf(headers["accept-encoding"]?.toString())
        .filter((one) => !/;\s*q=0(\.0*)?$/.test(one))
        .map((one) => one.replace(/;.*/, "").trim());
    return (["br", "gzip"] as const).find((one) => accepted.includes(one));
}

function compress(body: Buffer, encoding: Encoding): Promise<Buffer> {
    const known = compressed.get(body) ?? {};
    known[encoding] ??= compressions[encoding](body);
    compressed.set(body, known);
    return known[encoding];
}

/** @throws HttpError 413 beyond the limit, 400 if the client ends early */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const tooLarge = new HttpError(413, `The body is larger than ${maxBytes} bytes.`);
    if (Number(request.headers["content-length"] ?? 0) > 4 * maxBytes) throw tooLarge;
    try {
        // What is too large is read and dropped for a while, so that the client gets to read the answer.
        for await (const piece of request as AsyncIterable<Buffer>) {
            bytes += piece.length;
            if (bytes > 4 * maxBytes) break;
            if (bytes <= maxBytes) pieces.push(piece);
        }
    } catch {
        throw new HttpError(400, "The body ended early.");
    }
    if (bytes > maxBytes) throw tooLarge;
    return Buffer.concat(pieces);
}

/** @throws HttpError 415 or 400 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
    const type = request.headers["content-type"] ?? "";
    if (!/^application\/json\b/.test(type)) {
        throw new HttpError(415, `content-type is "${type}"; allowed: application/json`);
    }
    const body = (await readBody(request, maxBytes)).toString();
    let value: unknown;
    try {
        value = JSON.parse(body);
    } catch {
        throw new HttpError(400, "The body is not JSON.");
    }
    const key = findDuplicateKey(body)?.slice(0, 64);
    if (key === undefined) return value;
    throw new HttpError(400, `${JSON.stringify(key)} is in an object twice; allowed: once`);
}
