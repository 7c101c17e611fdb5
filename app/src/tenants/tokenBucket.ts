/** A token bucket shared by several pods, each with its own clock. */
export interface TokenBucket {
    /** @returns whether a token was available */
    readonly take: (rate: Rate) => boolean;
    /** Requests available now. */
    readonly level: () => number;
    /** Seconds until the next request is allowed. */
    readonly secondsUntilAvailable: (rate: Rate) => number;
    /** Subtracts the requests that other pods have accepted since the last call. */
    readonly applyRemote: (rate: Rate, takenByOthers: number) => void;
    /** Whether this pod has accepted enough requests to sync with other pods now. */
    readonly shouldSync: (rate: Rate) => boolean;
}

export interface Rate {
    readonly perSecond: number;
    readonly burst: number;
}

/** Share of the burst, and seconds of the rate: beyond both, pods together would exceed the rate. */
const SYNC_THRESHOLD = { burst: 0.1, seconds: 0.05 };

/** @param now in milliseconds */
export function createTokenBucket(initialLevel: number, now: () => number): TokenBucket {
    let level = initialLevel;
    let filledAt = now();
    let lastSync = { level, at: filledAt };
    let takenSinceSync = 0;

    function fill({ perSecond, burst }: Rate): void {
        const at = now();
        level = Math.min(burst, level + ((at - filledAt) / 1000) * perSecond);
        filledAt = at;
    }

    return {
        take: (rate) => {
            fill(rate);
            if (level < 1) return false;
            level -= 1;
            takenSinceSync += 1;
            return true;
        },
        level: () => level,
        secondsUntilAvailable: ({ perSecond }) => (1 - level) / perSecond,
        applyRemote: (rate, takenByOthers) => {
            fill(rate);
            const { perSecond, burst } = rate;
            const earned = ((filledAt - lastSync.at) / 1000) * perSecond;
            // Requests that others accepted while this bucket was full are offset by the refill in the
            // meantime.
            const shared = lastSync.level + earned - takenSinceSync - takenByOthers;
            level = Math.max(-burst, Math.min(level, shared));
            lastSync = { level, at: filledAt };
            takenSinceSync = 0;
        },
        shouldSync: ({ perSecond, burst }) =>
            takenSinceSync >=
            Math.max(1, burst * SYNC_THRESHOLD.burst, perSecond * SYNC_THRESHOLD.seconds),
    };
}
