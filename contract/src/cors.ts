/** Every origin. */
const ANY = "*";

/** @returns whether it is a list, with commas between, of origins as browsers send them (RFC 6454, 6.2), or `*` alone. */
export function areCorsOrigins(list: string): boolean {
    return list === ANY || list.split(",").every(isOrigin);
}

export const CORS_ORIGINS_WORDS =
    "* alone, or origins such as https://app.example.com with commas between them";

function isOrigin(value: string): boolean {
    return /^https?:/.test(value) && URL.parse(value)?.origin === value;
}
