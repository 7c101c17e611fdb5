const SECRET_FIELD = /(password|apikeys?|token|secret|privatekey)$/i;
const MASK = "[secret]";

/** A copy as plain JSON in which no secret is: passwords, keys and tokens, also those inside of URLs. */
export function masked(value: object): Record<string, unknown> {
    return JSON.parse(JSON.stringify(value, mask)) as Record<string, unknown>;
}

function mask(this: unknown, field: string, value: unknown): unknown {
    if (value === undefined || value === null) return value;
    if (SECRET_FIELD.test(field)) return MASK;
    // A URL has turned itself into text before it comes here.
    if (typeof value !== "string") return value;
    const url = URL.parse(value);
    if (!url || url.password === "") return value;
    url.password = MASK;
    return decodeURI(url.href);
}
