const [QUOTE, BACKSLASH, COMMA, COLON] = ['"', "\\", ",", ":"].map((one) => one.charCodeAt(0));
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = ["{", "}", "[", "]"].map((one) =>
    one.charCodeAt(0),
);

/**
 * Finds a key that an object has twice, at any depth. `JSON.parse` keeps the last value silently, whereas a proxy or a
 * log in front may read the first one (RFC 8259, 4).
 *
 * @param json valid JSON
 * @returns the first such key, unescaped
 */
export function findDuplicateKey(json: string): string | undefined {
    /** Keys of each open object; undefined for a list. */
    const open: (Set<string> | undefined)[] = [];
    let keys: Set<string> | undefined;
    let isKey = false;
    for (let at = 0; at < json.length; at += 1) {
        switch (json.charCodeAt(at)) {
            case QUOTE: {
                const end = endOfString(json, at);
                if (keys && isKey) {
                    const key = unescape(json.slice(at, end + 1));
                    if (keys.has(key)) return key;
                    keys.add(key);
                }
                at = end;
                break;
            }
            case COMMA:
                isKey = true;
                break;
            case COLON:
                isKey = false;
                break;
            case OPEN_OBJECT:
            case OPEN_LIST:
                open.push(keys);
                keys = json.charCodeAt(at) === OPEN_OBJECT ? new Set() : undefined;
                isKey = true;
                break;
            case CLOSE_OBJECT:
            case CLOSE_LIST:
                keys = open.pop();
                break;
        }
    }
    return undefined;
}

function endOfString(json: string, begin: number): number {
    let end = begin;
    let backslashes: number;
    do {
        end = json.indexOf('"', end + 1);
        backslashes = 0;
        while (json.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    } while (backslashes % 2 === 1);
    return end;
}

/** Most keys have no escape, and need not be parsed again. */
function unescape(literal: string): string {
    return literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}
