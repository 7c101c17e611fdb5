/**
 * Circuit breaker: blocks calls after several consecutive failures, then lets single calls through as probes.
 */
export interface Breaker {
    /** Whether a call may be sent; while the breaker is half-open, one at a time. */
    readonly tryAcquire: () => boolean;
    readonly onSuccess: () => void;
    /**
     * @param subject possible cause other than the endpoint; consecutive failures of one subject count once,
     * so that one invalid text does not block the endpoint for others
     */
    readonly onFailure: (subject?: unknown) => void;
    /** Whether a failure with this subject would open the breaker, or keep it open. */
    readonly wouldOpen: (subject?: unknown) => boolean;
    /** Whether a call would be allowed now. */
    readonly allowsCall: () => boolean;
    readonly state: () => "closed" | "open" | "half-open";
}

export interface BreakerOptions {
    /** Consecutive failures that open the breaker. */
    readonly failures: number;
    readonly halfOpenAfterMilliseconds: number;
    /** Monotonic clock in milliseconds; steps of the system clock could keep the breaker open. */
    readonly now?: () => number;
}

export function createBreaker(options: BreakerOptions): Breaker {
    const { failures, halfOpenAfterMilliseconds, now = () => performance.now() } = options;
    let failed = 0;
    let subjects = new Set<unknown>();
    let openedAt: number | undefined;
    let isProbing = false;

    function allowsCall(): boolean {
        if (openedAt === undefined) return true;
        return !isProbing && now() - openedAt >= halfOpenAfterMilliseconds;
    }

    function failuresWith(subject: unknown): number {
        const isKnown = subject !== undefined && subjects.has(subject);
        return isKnown ? failed : failed + 1;
    }

    return {
        allowsCall,
        wouldOpen: (subject) => failuresWith(subject) >= failures,
        tryAcquire: () => {
            if (!allowsCall()) return false;
            isProbing = openedAt !== undefined;
            return true;
        },
        onSuccess: () => {
            failed = 0;
            subjects = new Set();
            openedAt = undefined;
            isProbing = false;
        },
        onFailure: (subject) => {
            failed = failuresWith(subject);
            if (failed >= failures) {
                openedAt = now();
                // In a long outage, each probe would add its inputs.
                subjects = new Set();
            } else if (subject !== undefined) subjects.add(subject);
            isProbing = false;
        },
        state: () => (openedAt === undefined ? "closed" : allowsCall() ? "half-open" : "open"),
    };
}
