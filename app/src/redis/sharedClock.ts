import { CACHE_KEY_PREFIX } from "@property-search/contract";

import { clockOffset, setClockOffset, uncorrectedClock } from "../clock.ts";
import { detach } from "../detach.ts";
import type { Log } from "../log.ts";
import type { RedisCommands } from "./client.ts";

/** Keeps `wallClock()` at the time of Redis. */
export interface SharedClock {
    /** Resolves when the time was read, or cannot be. */
    readonly start: () => Promise<void>;
    readonly stop: () => void;
}

export const noSharedClock: SharedClock = {
    start: () => Promise.resolve(),
    stop: () => undefined,
};

/** A smaller difference changes nothing: clocks that are kept by NTP differ by less, and times must not jump. */
const TOLERANCE_MILLISECONDS = 2_000;
/** A slower answer shows too little. */
const MAX_ROUND_TRIP_MILLISECONDS = 1_000;
/** Time to connect at the start. */
const CONNECT_MILLISECONDS = 500;
const INTERVAL_MILLISECONDS = 60_000;
/** Its shard of a cluster has the time: the clocks of shards may differ. */
const KEY = `${CACHE_KEY_PREFIX}{clock}`;
const READ_TIME = "return redis.call('time')";

/**
 * Corrects the clock of this process to that of Redis, which all pods share: a stamp of a pod whose clock is ahead would
 * otherwise hold for the others until theirs reach it. Without Redis, or its permission for TIME, nothing is corrected.
 */
export function createSharedClock(
    {
        client,
        isConnected,
        onReachable,
    }: Pick<RedisCommands, "client" | "isConnected" | "onReachable">,
    log: Log,
): SharedClock {
    let timer: NodeJS.Timeout | undefined;
    let isDenied = false;

    async function correct(): Promise<void> {
        const before = uncorrectedClock();
        const [seconds = NaN, microseconds = NaN] = (
            (await client.eval(READ_TIME, 1, KEY)) as string[]
        ).map(Number);
        const after = uncorrectedClock();
        if (after - before > MAX_ROUND_TRIP_MILLISECONDS) return;
        const offset = seconds * 1_000 + microseconds / 1_000 - (before + after) / 2;
        if (!(Math.abs(offset - clockOffset()) > TOLERANCE_MILLISECONDS)) return;
        const isRight = Math.abs(offset) <= TOLERANCE_MILLISECONDS;
        setClockOffset(isRight ? 0 : offset);
        log.warn(
            { offsetSeconds: Math.round(offset / 1_000) },
            "The clock of this pod differs from that of Redis: using Redis' time",
        );
    }

    async function tryCorrect(): Promise<void> {
        if (!isConnected()) return;
        await correct().catch((error: unknown) => {
            if (isDenied) return;
            isDenied = String(error).includes("NOPERM");
            log.info({ error: String(error) }, "The time of Redis could not be read");
        });
    }

    return {
        start: () => {
            timer = setInterval(() => detach(tryCorrect()), INTERVAL_MILLISECONDS).unref();
            const reached = new Promise<void>((resolve) => {
                onReachable(() => detach(tryCorrect().then(resolve)));
                setTimeout(resolve, CONNECT_MILLISECONDS).unref();
            });
            return isConnected() ? tryCorrect() : reached;
        },
        stop: () => clearInterval(timer),
    };
}
