import { setTimeout as delay } from "node:timers/promises";

const POLL_MILLISECONDS = 20;

/**
 * Waits until a server has received no request for a while. The while is a number of polls, not of milliseconds: after
 * a pause of this process, such as by its CPU limit, timers run before sockets are read, and requests that arrived in
 * the pause would be lost.
 *
 * @param countRequests requests so far
 */
export async function waitForQuiet(
    countRequests: () => number,
    quietMilliseconds: number,
    maxMilliseconds: number,
): Promise<void> {
    const deadline = performance.now() + maxMilliseconds;
    let quiet = 0;
    while (quiet < quietMilliseconds && performance.now() < deadline) {
        const before = countRequests();
        await delay(POLL_MILLISECONDS);
        quiet = countRequests() === before ? quiet + POLL_MILLISECONDS : 0;
    }
}
