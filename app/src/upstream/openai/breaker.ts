/**
 * Circuit breaker: blocks calls after several consecutive failures, then lets single calls through as probes.
 */
export interface Breaker {
    /** Whether a call may be sent; while the breaker is half-open, one at a time. */
    readonly admit: () => boolean;
    readonly succeeded: () => void;
    /**
     * @param subject possible cause other than the endpoint; consecutive failures of one subject count once,
     * so that one invalid text does not block the endpoint for others
     */
    readonly failed: (subject?: unknown) => void;
    /** Whether a call would be allowed now. */
    readonly admits: () => boolean;
    readonly state: () => "closed" | "open" | "half-open";
}

export interface BreakerOptions {
    /** Consecutive failures that open the breaker. */
    readonly failures: number;
    readonly halfOpenAfterMilliseconds: number;
    /** Monotonic clock in milliseconds; steps of the system clock could keep the breaker open. */
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
            if (failed >= failures) {
                openedAt = now();
                // In a long outage, each probe would add its inputs.
                subjects = new Set();
            } else if (subject !== undefined) subjects.add(subject);
            trying = false;
        },
        state: () => (openedAt === undefined ? "closed" : admits() ? "half-open" : "open"),
    };
}
