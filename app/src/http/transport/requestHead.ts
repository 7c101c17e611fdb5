/** The head of a plain request: common methods and headers in their usual form. */
export interface RequestHead {
    readonly method: "POST" | "GET";
    readonly url: string;
    /** Alternating names and values, as received. */
    readonly rawHeaders: readonly string[];
    /** Length of the body in bytes. */
    readonly length: number;
}

/** The same limit as node:http. */
export const MAX_HEAD_BYTES = 16_384;
const MAX_HEADERS = 100;

const REQUEST_LINE = /^(POST|GET) (\/[\x21-\x7e]*) HTTP\/1\.1\r\n/;
/**
 * A token, a colon, and visible characters, spaces and tabs without folding: RFC 9110, 5.5 and 5.6.2. A value
 * starts with a visible character; otherwise the expression would backtrack in quadratic time.
 */
const FIELD =
    /([!#$%&'*+\-.^_`|~\w]+):[ \t]*((?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?)\r\n/y;
const LENGTH = /^\d{1,9}$/;

/**
 * Parses a head from the request line to the end of its last field. It is strict, so that it never disagrees
 * with a proxy or with node:http: anything beyond plain HTTP/1.1 (RFC 9112) is left to the complete parser.
 * That includes other framing than one content-length, connection options and malformed fields.
 *
 * @param text one character per byte
 * @returns undefined if the fast path cannot serve the request
 */
export function parseRequestHead(text: string): RequestHead | undefined {
    const line = REQUEST_LINE.exec(text);
    if (!line) return undefined;
    const [{ length: begin }, method, url] = line as unknown as [
        string,
        RequestHead["method"],
        string,
    ];
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
                // Not in any standard, but node:http treats it as `connection`.
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

/** @returns whether an incomplete head may still become one that the fast path serves */
export function mayBecomeHead(bytes: Buffer): boolean {
    const text = bytes.toString("latin1", 0, LONGEST_START);
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1))
        if (bytes[at - 1] !== CR) return false;
    return STARTS.some((start) => text.startsWith(start) || start.startsWith(text));
}
