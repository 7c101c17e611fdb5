/** Matches every origin. */
const ANY = "*";

/** @returns whether `list` is `*` or a comma-separated list of origins (RFC 6454, section 6.2) */
export function isCorsOriginList(list: string): boolean {
    return list === ANY || list.split(",").every(isOrigin);
}

export const CORS_ORIGINS_ALLOWED = "* or comma-separated origins such as https://app.example.com";

function isOrigin(value: string): boolean {
    return /^https?:/.test(value) && URL.parse(value)?.origin === value;
}
