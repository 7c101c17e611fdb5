const SECRET_FIELD = /(password|apikeys?|token|secret|privatekey)$/i;
const REDACTED = "[secret]";

/** Copies a value as plain JSON and redacts passwords, keys and tokens, including those in URLs. */
export function redact(value: object): Record<string, unknown> {
    return JSON.parse(JSON.stringify(value, redactField)) as Record<string, unknown>;
}

function redactField(this: unknown, field: string, value: unknown): unknown {
    if (value === undefined || value === null) return value;
    if (SECRET_FIELD.test(field)) return REDACTED;
    // URLs have been converted to strings by their toJSON.
    if (typeof value !== "string") return value;
    const url = URL.parse(value);
    if (!url || url.password === "") return value;
    url.password = REDACTED;
    return decodeURI(url.href);
}
