import { matchesGlob } from "../cel/glob.ts";
import { ifKnown } from "../kubernetes/object.ts";
import type { Exemption } from "./config.ts";
import type { Subject } from "./rule.ts";

/** @returns the exemption that matches a place, even if it has expired. */
export function findExemption(
    exemptions: readonly Exemption[],
    { object, container }: Pick<Subject, "object"> & { readonly container?: string | undefined },
): Exemption | undefined {
    return exemptions.find(
        (one) =>
            matchesOptionalGlob(
                one.namespace,
                ifKnown(() => object.namespace),
            ) &&
            matchesOptionalGlob(
                one.workload,
                ifKnown(() => object.name),
            ) &&
            matchesOptionalGlob(one.container, container),
    );
}

/** An exemption is valid until the end of its last day, in UTC. */
export function hasExpired({ expires }: Exemption, now: Date): boolean {
    return now.getTime() >= Date.parse(`${expires}T00:00:00Z`) + 86_400_000;
}

/** Days of warning before an exemption expires: enough for a release with a fix. */
const NOTICE_DAYS = 30;

/** @returns the days until an exemption expires; negative after it has expired. */
function daysLeft({ expires }: Exemption, now: Date): number {
    const today = new Date(now).setUTCHours(0, 0, 0, 0);
    return (Date.parse(`${expires}T00:00:00Z`) - today) / 86_400_000;
}

/** @returns whether an exemption is valid for at most NOTICE_DAYS more. */
export function isExpiringSoon(exemption: Exemption, now: Date): boolean {
    return !hasExpired(exemption, now) && daysLeft(exemption, now) <= NOTICE_DAYS;
}

/** @returns text that precedes the date: `expires today, on`, `expires in 30 days, on`. */
export function describeExpiry(exemption: Exemption, now: Date): string {
    const days = daysLeft(exemption, now);
    const left = days === 0 ? "today" : `in ${days} ${days === 1 ? "day" : "days"}`;
    return `expires ${left}, on`;
}

/** An unknown or missing text matches only an absent glob. */
function matchesOptionalGlob(pattern: string | undefined, text: string | undefined): boolean {
    return pattern === undefined || (text !== undefined && matchesGlob(pattern, text));
}
