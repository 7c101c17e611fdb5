const CONCURRENCY = 8;

/** Processes all items with limited concurrency. */
export async function forEachConcurrently<T>(
    items: readonly T[],
    work: (item: T) => Promise<void>,
): Promise<void> {
    const queue = items.values();
    await Promise.all(
        Array.from({ length: Math.min(CONCURRENCY, items.length) }, async () => {
            for (const item of queue) await work(item);
        }),
    );
}
