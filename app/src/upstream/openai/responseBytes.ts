import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";

import { freeBuffer } from "../../memory/freeBuffer.ts";
import { invalidResponseError } from "./response.ts";

const DECODERS = {
    gzip: promisify(gunzip),
    "x-gzip": promisify(gunzip),
    deflate: promisify(inflate),
    br: promisify(brotliDecompress),
    zstd: promisify(zstdDecompress),
} as const;

/**
 * Reads a response body. An endless body, or a decompression bomb, must not exhaust the pod's memory.
 *
 * @param coding value of `content-encoding`; some proxies compress regardless of accept-encoding
 * @throws UpstreamError if the body is larger than `most` bytes or cannot be decompressed
 */
export async function readResponseBytes(
    body: AsyncIterable<Buffer>,
    coding: string | string[] | undefined,
    maxBytes: number,
): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw invalidResponseError(`it is larger than ${maxBytes} bytes`);
        chunks.push(chunk);
    }
    const encoded = Buffer.concat(chunks);
    for (const chunk of chunks) freeBuffer(chunk);
    const name = String(coding ?? "identity").toLowerCase();
    if (name === "identity" || encoded.length === 0) return encoded;
    const decode = Object.entries(DECODERS).find(([known]) => known === name)?.[1];
    if (!decode) throw invalidResponseError(`its content-encoding is ${name.slice(0, 64)}`);
    try {
        return await decode(encoded, { maxOutputLength: maxBytes });
    } catch (error) {
        const isTooLarge = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
        throw invalidResponseError(
            isTooLarge ? `it is larger than ${maxBytes} bytes` : `it is not valid ${name}`,
        );
    }
}
