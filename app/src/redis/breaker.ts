export interface Breaker {
    readonly isOpen: () => boolean;
    /** Runs an operation and records its outcome. */
    readonly run: <T>(operation: () => Promise<T>) => Promise<T>;
    readonly stop: () => void;
}

export interface BreakerOptions {
    /** Consecutive failures that open the breaker, the last at least `failingMilliseconds` after the first. */
    readonly failures: number;
    /** A pause of the backend ends all operations in flight at once, which says nothing about the next ones. */
    readonly failingMilliseconds: number;
    /** Interval of probes while the breaker is open. */
    readonly probeMilliseconds: number;
    /** Decides whether the breaker opens after these failures, and closes it. */
    readonly probe: () => Promise<unknown>;
    readonly onOpened: (error: unknown) => void;
    readonly onClosed: () => void;
}

/**
 * Circuit breaker that saves callers from waiting for an unavailable backend. Only probes try an open
 * breaker, so no request is delayed by it. It never reads the system clock, whose steps could keep the breaker
 * open.
 */
export function createBreaker(options: BreakerOptions): Breaker {
    let consecutiveFailures = 0;
    let firstFailedAt = 0;
    let probing: NodeJS.Timeout | undefined;
    let isConfirming = false;
    let isStopped = false;

    /** Large reads may be late although small ones are in time, which a probe decides. */
    function onFailure(error: unknown): void {
        if (consecutiveFailures === 0) firstFailedAt = performance.now();
        consecutiveFailures += 1;
        if (consecutiveFailures < options.failures || probing || isConfirming) return;
        if (performance.now() - firstFailedAt < options.failingMilliseconds) return;
        isConfirming = true;
        options.probe().then(
            () => {
                consecutiveFailures = 0;
                isConfirming = false;
            },
            () => open(error),
        );
    }

    function open(error: unknown): void {
        isConfirming = false;
        if (isStopped) return;
        probing = setInterval(() => {
            options.probe().then(close, () => undefined);
        }, options.probeMilliseconds).unref();
        options.onOpened(error);
    }

    function close(): void {
        // An earlier probe may succeed after a later one.
        if (!probing) return;
        stopProbing();
        consecutiveFailures = 0;
        options.onClosed();
    }

    function stopProbing(): void {
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
        stop: () => {
            isStopped = true;
            stopProbing();
        },
    };
}
