import { isUtf8 } from "node:buffer";

import { findDuplicateKey } from "@property-search/contract";

import { HttpError, invalidFieldError } from "./error.ts";

/**
 * Parses a JSON object.
 *
 * @param allowed names of its fields
 * @param maxValues of all values in it
 * @throws HttpError
 */
export function parseObject(
    body: Buffer,
    allowed: readonly string[],
    maxValues: number,
): Record<string, unknown> {
    if (!isUtf8(body)) throw new HttpError(400, "The body is not UTF-8");
    if (body.length > maxValues && hasMoreValues(body, maxValues)) {
        throw new HttpError(
            400,
            `The body has more than ${maxValues} values; allowed: ${maxValues}`,
        );
    }
    // Parsers may ignore a byte order mark (RFC 8259, 8.1), which PowerShell and some editors write.
    const json = body.toString("utf8").replace(/^\ufeff/, "");
    let value: unknown;
    try {
        value = JSON.parse(json);
    } catch {
        throw new HttpError(400, "The body is not JSON");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new HttpError(400, "The body is not a JSON object");
    }
    for (const field of Object.keys(value)) {
        if (allowed.includes(field)) continue;
        // Ignoring an unknown parameter silently would return a different vector than the one requested.
        const message = `${JSON.stringify(field.slice(0, 64))} is unknown; allowed: ${allowed.join(", ")}`;
        throw invalidFieldError(field.slice(0, 64), message, "unknown_parameter");
    }
    const error = duplicateKeyError(json);
    if (error) throw error;
    return value as Record<string, unknown>;
}

/**
 * Of two values of the same key, neither may win.
 *
 * @param json valid JSON
 * @returns a 400 that names a key that an object has twice, or null if there is none
 */
export function duplicateKeyError(json: string): HttpError | null {
    const key = findDuplicateKey(json)?.slice(0, 64);
    if (key === undefined) return null;
    const message = `${JSON.stringify(key)} is in an object twice; allowed: once`;
    return invalidFieldError(key, message, "duplicate_parameter");
}

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = ['"', "\\", ",", "[", "{"].map((one) =>
    one.charCodeAt(0),
);

/** Each value follows a comma, a bracket or a brace, so values are counted without parsing. */
function hasMoreValues(json: Buffer, max: number): boolean {
    let values = 0;
    let inString = false;
    for (let at = 0; at < json.length && values <= max; at += 1) {
        const byte = json[at];
        if (inString) {
            if (byte === BACKSLASH) at += 1;
            else if (byte === QUOTE) inString = false;
        } else if (byte === QUOTE) inString = true;
        else if (byte === COMMA || byte === BRACKET || byte === BRACE) values += 1;
    }
    return values > max;
}
