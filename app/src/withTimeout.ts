/** @returns the result of `promise`, or of the fallback after a timeout */
export async function withTimeout<T>(
    milliseconds: number,
    promise: Promise<T>,
    onTimeout: () => Promise<T>,
): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
    try {
        const first = await Promise.race([promise.then((value) => ({ value })), timeout]);
        return first ? first.value : await onTimeout();
    } finally {
        clearTimeout(timer);
    }
}
