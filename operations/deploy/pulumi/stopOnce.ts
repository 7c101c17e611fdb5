/** Time for a terminal's Ctrl-C to reach Pulumi directly. */
const CANCEL_AFTER_MILLISECONDS = 500;

/**
 * Ensures that Pulumi receives exactly one signal: it finishes its operations at the first and abandons them at the second.
 *
 * @returns a function that removes the listener
 */
export function stopOnce(
    interrupt: () => void,
    isCancelling: () => boolean,
    signal: AbortSignal | undefined,
): () => void {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
        timer = setTimeout(() => {
            if (!isCancelling()) interrupt();
        }, CANCEL_AFTER_MILLISECONDS);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    return () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
    };
}
