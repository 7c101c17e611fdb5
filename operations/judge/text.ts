import type { Share } from "./sequential.ts";

/** Formats a share 0–1 as a percentage with at most three digits. */
export function percent(share: number): string {
    return `${Number((share * 100).toPrecision(3))} %`;
}

/** Formats a difference of shares in percentage points. */
export function points(difference: number): string {
    return `${Number((difference * 100).toPrecision(3))} points`;
}

export function count(value: number): string {
    return Math.round(value).toLocaleString("en-US");
}

export function shareText({ bad, total }: Share): string {
    return total > 0 ? `${percent(bad / total)} (${count(bad)} of ${count(total)})` : "none";
}
