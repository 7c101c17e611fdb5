import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../release/clock.ts";

interface Sleeper {
    readonly at: number;
    readonly wake: () => void;
}

/** A clock that advances only while all callers sleep. */
export class VirtualClock implements Clock {
    #now = Date.UTC(2026, 0, 1);
    readonly #sleepers: Sleeper[] = [];

    now = (): number => this.#now;
    elapsed = (): number => this.#now;

    sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
        await new Promise<void>((resolve) => {
            this.#sleepers.push({ at: this.#now + milliseconds, wake: resolve });
        });
        signal?.throwIfAborted();
    };

    /**
     * Lets time pass until the work is done.
     *
     * @throws Error if the work needs more virtual seconds: something waits forever
     */
    async until<T>(work: Promise<T>, seconds = 50_000): Promise<T> {
        const progress = { isDone: false };
        const settled = work.finally(() => (progress.isDone = true));
        settled.catch(() => undefined);
        const end = this.#now + seconds * 1000;
        let idle = 0;
        for (;;) {
            // Nothing in a driver takes more turns of the event loop than these without sleeping.
            for (let turns = 0; turns < 3 && !progress.isDone; turns += 1) await turn();
            if (progress.isDone) return settled;
            this.#sleepers.sort((a, b) => a.at - b.at);
            const next = this.#sleepers.shift();
            if (!next) {
                idle += 1;
                if (idle > 1000) throw new Error("nobody sleeps, and it is not done: it hangs");
                continue;
            }
            this.#now = Math.max(this.#now, next.at);
            if (this.#now > end) throw new Error(`not done after ${seconds} virtual seconds`);
            next.wake();
        }
    }
}
