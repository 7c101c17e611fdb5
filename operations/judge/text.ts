import type { Share } from "./sequential.ts";

/** @returns a share 0–1 as a percentage of three digits at most */
export function percent(share: number): string {
    return `${Number((share * 100).toPrecision(3))} %`;
}

/** @returns a difference of shares, 0–1, in percentage points */
export function points(difference: number): string {
    return `${Number((difference * 100).toPrecision(3))} points`;
}

export function count(value: number): string {
    return Math.round(value).toLocaleString("en-US");
}

export function shareText({ bad, of }: Share): string {
    return of > 0 ? `${percent(bad / of)} (${count(bad)} of ${count(of)})` : "none";
}
