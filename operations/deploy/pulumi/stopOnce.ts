/** A terminal's Ctrl-C reaches Pulumi by itself, in a moment. */
const CANCEL_AFTER_MILLISECONDS = 500;

/**
 * Pulumi finishes what it is doing at the first signal and abandons it at the second, so it must get
 * exactly one.
 *
 * @returns what ends the watch
 */
export function stopOnce(
    interrupt: () => void,
    cancelling: () => boolean,
    signal: AbortSignal | undefined,
): () => void {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
        timer = setTimeout(() => {
            if (!cancelling()) interrupt();
        }, CANCEL_AFTER_MILLISECONDS);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    return () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
    };
}
