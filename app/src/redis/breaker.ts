export interface Breaker {
    readonly isOpen: () => boolean;
    /** Runs an operation and records its outcome. */
    readonly run: <T>(operation: () => Promise<T>) => Promise<T>;
    readonly stop: () => void;
}

export interface BreakerOptions {
    /** Consecutive failures that open the breaker. */
    readonly failures: number;
    /** Interval of probes while the breaker is open; the first success closes it. */
    readonly probeMilliseconds: number;
    readonly probe: () => Promise<unknown>;
    readonly onOpened: (error: unknown) => void;
    readonly onClosed: () => void;
}

/**
 * Circuit breaker that saves callers from waiting for an unavailable backend. Only probes try an open
 * breaker, so no request is delayed by it. It uses a timer instead of the system clock, whose steps could
 * keep the breaker open.
 */
export function createBreaker(options: BreakerOptions): Breaker {
    let consecutiveFailures = 0;
    let probing: NodeJS.Timeout | undefined;

    function onFailure(error: unknown): void {
        consecutiveFailures += 1;
        if (consecutiveFailures < options.failures || probing) return;
        probing = setInterval(() => {
            options.probe().then(close, () => undefined);
        }, options.probeMilliseconds).unref();
        options.onOpened(error);
    }

    function close(): void {
        // An earlier probe may succeed after a later one.
        if (!probing) return;
        stop();
        consecutiveFailures = 0;
        options.onClosed();
    }

    function stop(): void {
        clearInterval(probing);
        probing = undefined;
    }

    return {
        isOpen: () => probing !== undefined,
        run: async (operation) => {
            try {
                const result = await operation();
                consecutiveFailures = 0;
                return result;
            } catch (error) {
                onFailure(error);
                throw error;
            }
        },
        stop,
    };
}
