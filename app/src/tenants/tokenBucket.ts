/** A token bucket shared by several pods, each with its own clock. */
export interface Bucket {
    /** @returns whether a token was available */
    readonly take: (rate: Rate) => boolean;
    /** Requests available now. */
    readonly level: () => number;
    /** Seconds until the next request is allowed. */
    readonly wait: (rate: Rate) => number;
    /** Subtracts the requests that other pods have accepted since the last call. */
    readonly learn: (rate: Rate, takenElsewhere: number) => void;
    /** Whether this pod has accepted enough requests to sync with other pods now. */
    readonly isNews: (rate: Rate) => boolean;
}

export interface Rate {
    readonly perSecond: number;
    readonly burst: number;
}

/** Share of the burst, and seconds of the rate: beyond both, pods together would exceed the rate. */
const NEWS = { burst: 0.1, seconds: 0.05 };

/** @param now in milliseconds */
export function bucket(full: number, now: () => number): Bucket {
    let level = full;
    let filledAt = now();
    let known = { level, at: filledAt };
    let takenSince = 0;

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
            takenSince += 1;
            return true;
        },
        level: () => level,
        wait: ({ perSecond }) => (1 - level) / perSecond,
        learn: (rate, takenElsewhere) => {
            fill(rate);
            const { perSecond, burst } = rate;
            const earned = ((filledAt - known.at) / 1000) * perSecond;
            // Requests that others accepted while this bucket was full are offset by the refill in the
            // meantime.
            const shared = known.level + earned - takenSince - takenElsewhere;
            level = Math.max(-burst, Math.min(level, shared));
            known = { level, at: filledAt };
            takenSince = 0;
        },
        isNews: ({ perSecond, burst }) =>
            takenSince >= Math.max(1, burst * NEWS.burst, perSecond * NEWS.seconds),
    };
}
