/** Memoised results by text. */
export interface Memo<T> {
    readonly get: (text: string) => T | undefined;
    readonly set: (text: string, value: T) => void;
}

/**
 * Approximates LRU with two generations: entries found in the old generation move to the young one, and when
 * that is full, the old one is dropped. A lookup costs one Map access.
 *
 * @param maxBytes of one generation; entries larger than a tenth of it are not kept
 * @param bytesOf size of a text and its value with all objects
 */
export function createMemo<T>(
    maxBytes: number,
    bytesOf: (text: string, value: T) => number,
): Memo<T> {
    let young = new Map<string, T>();
    let old = new Map<string, T>();
    let bytes = 0;

    function set(text: string, value: T): void {
        const size = bytesOf(text, value);
        if (size > maxBytes / 10) return;
        bytes += size;
        if (bytes > maxBytes) {
            old = young;
            young = new Map();
            bytes = size;
        }
        young.set(text, value);
    }

    return {
        get: (text) => {
            const value = young.get(text);
            if (value !== undefined) return value;
            const aged = old.get(text);
            if (aged !== undefined) set(text, aged);
            return aged;
        },
        set,
    };
}
