/** @returns the result of `promise`, or of the fallback after a timeout */
export async function within<T>(
    milliseconds: number,
    promise: Promise<T>,
    otherwise: () => Promise<T>,
): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
    try {
        const first = await Promise.race([promise.then((value) => ({ value })), late]);
        return first ? first.value : await otherwise();
    } finally {
        clearTimeout(timer);
    }
}
