import { glob } from "../cel/glob.ts";
import { known } from "../kubernetes/object.ts";
import type { Exemption } from "./config.ts";
import type { Subject } from "./rule.ts";

/** The exemption that covers a place, whether it still holds or not. */
export function exemptionOf(
    exemptions: readonly Exemption[],
    { object, container }: Pick<Subject, "object"> & { readonly container?: string | undefined },
): Exemption | undefined {
    return exemptions.find(
        (one) =>
            covers(
                one.namespace,
                known(() => object.namespace),
            ) &&
            covers(
                one.workload,
                known(() => object.name),
            ) &&
            covers(one.container, container),
    );
}

/** It holds until the end of its last day, in UTC. */
export function hasExpired({ expires }: Exemption, now: Date): boolean {
    return now.getTime() >= Date.parse(`${expires}T00:00:00Z`) + 86_400_000;
}

/** Days before the last one from which on there is a warning: time for a release in which it is mended. */
export const NOTICE_DAYS = 30;

/** Whole days that an exemption holds after today; negative once it has expired. */
export function daysLeft({ expires }: Exemption, now: Date): number {
    const today = new Date(now).setUTCHours(0, 0, 0, 0);
    return (Date.parse(`${expires}T00:00:00Z`) - today) / 86_400_000;
}

/** Whether it holds, and for NOTICE_DAYS at most. */
export function isEnding(exemption: Exemption, now: Date): boolean {
    return !hasExpired(exemption, now) && daysLeft(exemption, now) <= NOTICE_DAYS;
}

/** Words before its day: `expires today, on`, `expires in 30 days, on`. */
export function ending(exemption: Exemption, now: Date): string {
    const days = daysLeft(exemption, now);
    const left = days === 0 ? "today" : `in ${days} ${days === 1 ? "day" : "days"}`;
    return `expires ${left}, on`;
}

/** What is not known, or not there, is matched by no glob but an absent one. */
function covers(pattern: string | undefined, text: string | undefined): boolean {
    return pattern === undefined || (text !== undefined && glob(pattern, text));
}
