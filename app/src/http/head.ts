/** The head of a request that says what everybody says, in the way in which everybody says it. */
export interface Head {
    readonly method: "POST" | "GET";
    readonly url: string;
    /** Names and values in turn, as they came. */
    readonly rawHeaders: readonly string[];
    /** Bytes of the body. */
    readonly length: number;
}

/** As node:http's own limit. */
export const MAX_HEAD_BYTES = 16_384;
const MAX_HEADERS = 100;

const REQUEST_LINE = /^(POST|GET) (\/[\x21-\x7e]*) HTTP\/1\.1\r\n/;
/**
 * A token, a colon, visible characters, spaces and tabs, and no folding: RFC 9110, 5.5 and 5.6.2. A value
 * begins visibly: if blanks could belong to both parts, a wrong field would take time by their square.
 */
const FIELD =
    /([!#$%&'*+\-.^_`|~\w]+):[ \t]*((?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?)\r\n/y;
const LENGTH = /^\d{1,9}$/;

/**
 * Reads a head from the request line to the end of its last field.
 *
 * It is strict, so that it never reads a request otherwise than anybody before or behind it: whatever
 * is not the plainest HTTP/1.1 (RFC 9112) is for a complete parser. That is what frames a body in another
 * way than by one length, wants something of the connection, or is not quite right.
 *
 * @param text one character a byte @returns undefined for what is not for us
 */
export function readHead(text: string): Head | undefined {
    const line = REQUEST_LINE.exec(text);
    if (!line) return undefined;
    const [{ length: begin }, method, url] = line as unknown as [string, Head["method"], string];
    const rawHeaders: string[] = [];
    let length: number | undefined;
    let hosts = 0;
    FIELD.lastIndex = begin;
    while (FIELD.lastIndex < text.length) {
        const field = FIELD.exec(text) as unknown as [string, string, string] | null;
        if (!field || rawHeaders.length >= 2 * MAX_HEADERS) return undefined;
        const [, name, value] = field;
        if (value.endsWith(" ") || value.endsWith("\t")) return undefined;
        rawHeaders.push(name, value);
        switch (name.length) {
            case 4:
                if (name.toLowerCase() === "host") hosts += 1;
                break;
            case 6:
                if (name.toLowerCase() === "expect") return undefined;
                break;
            case 7:
                if (name.toLowerCase() === "upgrade") return undefined;
                break;
            case 10:
                if (name.toLowerCase() === "connection" && value.toLowerCase() !== "keep-alive")
                    return undefined;
                break;
            case 14:
                if (name.toLowerCase() !== "content-length") break;
                if (length !== undefined || !LENGTH.test(value)) return undefined;
                length = Number(value);
                break;
            case 16:
                // Of no standard, but node:http reads it as `connection`.
                if (
                    name.toLowerCase() === "proxy-connection" &&
                    value.toLowerCase() !== "keep-alive"
                )
                    return undefined;
                break;
            case 17:
                if (name.toLowerCase() === "transfer-encoding") return undefined;
                break;
        }
    }
    if (hosts !== 1 || (method === "POST") !== (length !== undefined)) return undefined;
    return { method, url, rawHeaders, length: length ?? 0 };
}

const STARTS = ["POST /", "GET /"];
const LONGEST_START = 6;
const [CR, LF] = [0x0d, 0x0a];

/** @returns whether bytes without a head's end can still become a head that is for us */
export function mayBecomeHead(bytes: Buffer): boolean {
    const text = bytes.toString("latin1", 0, LONGEST_START);
    const lineEnd = bytes.indexOf(LF);
    const isLine = lineEnd < 0 || bytes[lineEnd - 1] === CR;
    return isLine && STARTS.some((start) => text.startsWith(start) || start.startsWith(text));
}
