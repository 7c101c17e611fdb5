/** A token bucket that several pods empty together, each by its own clock. */
export interface Bucket {
    /** @returns whether one was left */
    readonly take: (rate: Rate) => boolean;
    /** Requests that may come now. */
    readonly level: () => number;
    /** Seconds until the next one may come. */
    readonly wait: (rate: Rate) => number;
    /** So many were taken elsewhere since this was last called. */
    readonly learn: (rate: Rate, takenElsewhere: number) => void;
    /** Whether enough was taken here that other pods should hear of it now. */
    readonly isNews: (rate: Rate) => boolean;
}

export interface Rate {
    readonly perSecond: number;
    readonly burst: number;
}

/** Of the burst, and seconds of the rate: with more than both, pods would exceed the rate unheard. */
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
            // What others took while this pod's bucket was full here is paid by what it earned meanwhile.
            const shared = known.level + earned - takenSince - takenElsewhere;
            level = Math.max(-burst, Math.min(level, shared));
            known = { level, at: filledAt };
            takenSince = 0;
        },
        isNews: ({ perSecond, burst }) =>
            takenSince >= Math.max(1, burst * NEWS.burst, perSecond * NEWS.seconds),
    };
}
