/** Keeps calls from what has failed several times in a row, and tries it again with one of them. */
export interface Breaker {
    /** Whether a call may go out; while it is open, one at a time does, as its trial. */
    readonly admit: () => boolean;
    readonly succeeded: () => void;
    /**
     * @param subject what may have caused it beside the endpoint: failures of one subject in a row count
     * once, so that one bad text does not keep the others from a sound endpoint
     */
    readonly failed: (subject?: unknown) => void;
    /** Whether a call would go out now. */
    readonly admits: () => boolean;
    readonly state: () => "closed" | "open" | "half-open";
}

export interface BreakerOptions {
    /** So many failures in a row open it. */
    readonly failures: number;
    readonly halfOpenAfterMilliseconds: number;
    /** In milliseconds, by a clock that nobody sets: one that steps back would keep it open as long. */
    readonly now?: () => number;
}

export function breaker(options: BreakerOptions): Breaker {
    const { failures, halfOpenAfterMilliseconds, now = () => performance.now() } = options;
    let failed = 0;
    let subjects = new Set<unknown>();
    let openedAt: number | undefined;
    let trying = false;

    function admits(): boolean {
        if (openedAt === undefined) return true;
        return !trying && now() - openedAt >= halfOpenAfterMilliseconds;
    }

    return {
        admits,
        admit: () => {
            if (!admits()) return false;
            trying = openedAt !== undefined;
            return true;
        },
        succeeded: () => {
            failed = 0;
            subjects = new Set();
            openedAt = undefined;
            trying = false;
        },
        failed: (subject) => {
            const isKnown = subject !== undefined && subjects.has(subject);
            if (!isKnown) failed += 1;
            if (subject !== undefined) subjects.add(subject);
            if (failed >= failures) openedAt = now();
            trying = false;
        },
        state: () => (openedAt === undefined ? "closed" : admits() ? "half-open" : "open"),
    };
}
