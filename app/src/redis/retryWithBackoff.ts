import { setTimeout as wait } from "node:timers/promises";

const ATTEMPTS = 6;
const FIRST_PAUSE_MILLISECONDS = 100;

/** For bulk work on Redis, which can wait for a failover of a few seconds. */
export async function retryWithBackoff<T>(operation: () => Promise<T>): Promise<T> {
    for (let failures = 0; ;) {
        try {
            return await operation();
        } catch (error) {
            failures += 1;
            if (failures >= ATTEMPTS) throw error;
            await wait(FIRST_PAUSE_MILLISECONDS * 2 ** failures);
        }
    }
}
