import { setImmediate as nextTurn } from "node:timers/promises";

/** Longest bulk work of one turn. */
export const BULK_TURN_MILLISECONDS = 1;

let last: Promise<unknown> = Promise.resolve();

/**
 * Waits for a turn of the event loop without other bulk work: parts of several requests in one turn would delay all
 * clients by their sum.
 */
export function nextBulkTurn(): Promise<unknown> {
    return (last = last.then(() => nextTurn()));
}
