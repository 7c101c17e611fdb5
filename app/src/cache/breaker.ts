export interface Breaker {
    readonly open: () => boolean;
    /** Takes note of how it ends. */
    readonly attempt: <T>(operation: () => Promise<T>) => Promise<T>;
    readonly stop: () => void;
}

export interface BreakerOptions {
    /** So many failures in a row open it. */
    readonly failures: number;
    /** While it is open it is tried so often; the first success closes it. */
    readonly probeMilliseconds: number;
    readonly probe: () => Promise<unknown>;
    readonly opened: (error: unknown) => void;
    readonly closed: () => void;
}

/**
 * Keeps callers from waiting for what does not answer. Only the probe tries an open one, so that no
 * request is the trial or waits for its end; and it goes by a timer and not by the system's clock, which
 * may step back by an hour and keep it open for as long.
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
        // A probe may succeed after its successor already has.
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
