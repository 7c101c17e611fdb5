import { UserError } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MILLISECONDS = 500;

export interface WaitOptions {
    readonly seconds: number;
    readonly signal?: AbortSignal | undefined;
}

/**
 * Polls until a condition holds. An error of `check` counts as false: what it asks may be down.
 *
 * @returns seconds that it took
 * @throws UserError that names the condition after the timeout; the signal's reason if aborted
 */
export async function waitUntil(
    condition: string,
    check: () => Promise<boolean>,
    { seconds, signal }: WaitOptions,
): Promise<number> {
    const start = Date.now();
    let last = "";
    for (;;) {
        signal?.throwIfAborted();
        const isMet = await check().catch((error: unknown) => {
            last = error instanceof Error ? `: ${error.message}` : "";
            return false;
        });
        const waited = (Date.now() - start) / 1000;
        if (isMet) return waited;
        if (waited > seconds) throw new UserError(`not within ${seconds} s: ${condition}${last}`);
        await delay(POLL_MILLISECONDS, undefined, { signal }).catch(() => {
            signal?.throwIfAborted();
        });
    }
}
