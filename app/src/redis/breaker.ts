export interface Breaker {
    readonly open: () => boolean;
    /** Runs an operation and records its outcome. */
    readonly attempt: <T>(operation: () => Promise<T>) => Promise<T>;
    readonly stop: () => void;
}

export interface BreakerOptions {
    /** Consecutive failures that open the breaker. */
    readonly failures: number;
    /** Interval of probes while the breaker is open; the first success closes it. */
    readonly probeMilliseconds: number;
    readonly probe: () => Promise<unknown>;
    readonly opened: (error: unknown) => void;
    readonly closed: () => void;
}

/**
 * Circuit breaker that saves callers from waiting for an unavailable backend. Only probes try an open
 * breaker, so no request is delayed by it. It uses a timer instead of the system clock, whose steps could
 * keep the breaker open.
 */
export function breaker(options: BreakerOptions): Breaker {
    let failed = 0;
    let probing: NodeJS.Timeout | undefined;

    function fail(error: unknown): void {
        failed += 1;
        if (failed < options.failures || probing) return;
        probing = setInterval(() => {
            options.probe().then(close, () => undefined);
        }, options.probeMilliseconds).unref();
        options.opened(error);
    }

    function close(): void {
        // An earlier probe may succeed after a later one.
        if (!probing) return;
        stop();
        failed = 0;
        options.closed();
    }

    function stop(): void {
        clearInterval(probing);
        probing = undefined;
    }

    return {
        open: () => probing !== undefined,
        attempt: async (operation) => {
            try {
                const result = await operation();
                failed = 0;
                return result;
            } catch (error) {
                fail(error);
                throw error;
            }
        },
        stop,
    };
}
