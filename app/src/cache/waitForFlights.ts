import type { RequestContext } from "../requestContext.ts";
import { LimitError } from "../upstream/limitError.ts";
import { deadlineError, UpstreamError } from "../upstream/upstream.ts";
import type { Item } from "./item.ts";
import type { Lookup, Resolution } from "./leader.ts";
import type { Flight } from "./singleFlight.ts";

/** A lookup, and whether this request leads its flight. */
export interface LedLookup extends Lookup {
    readonly isLeading: boolean;
}

/**
 * If the upstream takes longer than this, a stale entry is served while the fetch continues (RFC 5861,
 * stale-while-revalidate).
 */
const STALE_AFTER_MILLISECONDS = 500;
/** A request whose deadline is later than the leader's by this much retries after the leader's timeout. */
const MORE_TIME_MILLISECONDS = 500;

/**
 * Waits until the request's own deadline, whatever the deadlines of the flights that it joined.
 *
 * @param lookUpAgain starts or joins another flight, after the leader of the first one failed for a reason of
 * its own
 */
export async function waitForFlights(
    lookups: readonly LedLookup[],
    { context, found, failed }: Resolution,
    lookUpAgain: (item: Item) => LedLookup,
): Promise<void> {
    const open = new Set(lookups);
    const { promise: allSettled, resolve: onAllSettled } = Promise.withResolvers<undefined>();
    for (const lookup of lookups) follow(lookup, lookup);
    const lastStart = Math.max(...lookups.map(({ flight }) => flight.startedAt));
    const staleAt = Math.min(lastStart + STALE_AFTER_MILLISECONDS, context.deadline);
    await waitUntil(allSettled, staleAt);
    for (const lookup of open) serveStale(lookup);
    if (open.size === 0) return;
    await waitUntil(allSettled, context.deadline);
    for (const lookup of open) {
        if (!serveStale(lookup)) failed.set(lookup.item.key, deadlineError());
        open.delete(lookup);
    }

    function serveStale(lookup: LedLookup): boolean {
        const { item, flight } = lookup;
        if (!flight.stale) return false;
        found.set(item.key, { embedding: flight.stale, status: "STALE" });
        open.delete(lookup);
        return true;
    }

    /** @param current the last lookup of the same item */
    function follow(lookup: LedLookup, current: LedLookup): void {
        const { item, flight, isLeading } = current;
        flight.onSettled((outcome) => {
            if (!open.has(lookup)) return;
            if (outcome instanceof Error) {
                if (!isLeading && isErrorOfLeader(outcome, flight, context)) {
                    // The leader is still reporting its errors.
                    queueMicrotask(() => follow(lookup, lookUpAgain(item)));
                    return;
                }
                failed.set(item.key, outcome);
            } else if (!isLeading) found.set(item.key, { embedding: outcome, status: "COALESCED" });
            open.delete(lookup);
            if (open.size === 0) onAllSettled(undefined);
        });
    }
}

/** Whether the error concerns the leading request only: its deadline, or its tenant's limits. */
function isErrorOfLeader(error: unknown, flight: Flight, context: RequestContext): boolean {
    if (error instanceof LimitError) return true;
    const isTimeout = error instanceof UpstreamError && [429, 504].includes(error.status);
    return isTimeout && context.deadline > flight.deadline + MORE_TIME_MILLISECONDS;
}

/** @param time in milliseconds of `performance.now()` */
async function waitUntil(event: Promise<unknown>, time: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise((resolve) => {
        timer = setTimeout(resolve, Math.max(0, time - performance.now())).unref();
    });
    await Promise.race([event, passed]);
    clearTimeout(timer);
}
