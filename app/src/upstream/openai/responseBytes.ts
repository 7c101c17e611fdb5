import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";

import { bad } from "./response.ts";

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
export async function readBytes(
    body: AsyncIterable<Buffer>,
    coding: string | string[] | undefined,
    most: number,
): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
        bytes += chunk.length;
        if (bytes > most) throw bad(`it is larger than ${most} bytes`);
        chunks.push(chunk);
    }
    const packed = Buffer.concat(chunks);
    const name = String(coding ?? "identity").toLowerCase();
    if (name === "identity" || packed.length === 0) return packed;
    const decode = Object.entries(DECODERS).find(([known]) => known === name)?.[1];
    if (!decode) throw bad(`its content-encoding is ${name.slice(0, 64)}`);
    try {
        return await decode(packed, { maxOutputLength: most });
    } catch (error) {
        const isTooLarge = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
        throw bad(isTooLarge ? `it is larger than ${most} bytes` : `it is not valid ${name}`);
    }
}
