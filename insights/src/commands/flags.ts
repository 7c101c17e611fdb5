import { UserError } from "@property-search/contract";
import { readFileSync } from "node:fs";

export const MAX_DAYS_KEPT = 3_650;

export function print(line: string): void {
    console.log(line);
}

export function readSecret(file: string | undefined): string | undefined {
    return file === undefined ? undefined : requireSecret(file);
}

/** @throws Error of the file system, or UserError for an empty file */
export function requireSecret(file: string): string {
    const text = readFileSync(file, "utf8").trim();
    if (text === "") throw new UserError(`${file} is empty`);
    return text;
}

/** @throws UserError if one token opens both the service and the page */
export function checkDistinctTokens(adminToken: string, pageToken: string | undefined): void {
    if (adminToken === pageToken) {
        throw new UserError(
            "--admin-token-file and --publish-token-file have the same token; allowed: one for each",
        );
    }
}

export function readUrl(flag: string) {
    return (text: string): string => {
        const url = URL.parse(text);
        if (url !== null && ["http:", "https:"].includes(url.protocol)) return text;
        throw new UserError(`${flag} is not a URL; allowed: http://… or https://…`);
    };
}

export function readNumber(flag: string, most: number) {
    return (text: string): number => {
        if (/^[1-9]\d*$/.test(text) && Number(text) <= most) return Number(text);
        throw new UserError(`${flag} is "${text}"; allowed: 1 to ${most}`);
    };
}

/** @returns a parser of Unix seconds */
export function readTime(flag: string) {
    return (text: string): number => {
        const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
        const milliseconds = Date.parse(text);
        if (isTime && !Number.isNaN(milliseconds) && milliseconds <= Date.now()) {
            return Math.floor(milliseconds / 1000);
        }
        throw new UserError(
            `${flag} is "${text}"; allowed: a time of the past in RFC 3339, such as 2026-11-30T02:00:00Z`,
        );
    };
}
