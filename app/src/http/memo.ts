/** What was once computed from a text, kept while it is asked for. */
export interface Memo<T> {
    readonly get: (text: string) => T | undefined;
    readonly set: (text: string, value: T) => void;
}

/**
 * Two generations: what is found in the old one moves to the young one, and when the young one is
 * full the old one is dropped whole. That is close to least-recently-used, at the price of one look
 * into a Map.
 *
 * @param maxBytes of one generation; what is larger than a tenth of it is not kept
 * @param bytesOf a text and its value, with the objects that they are made of
 */
export function memo<T>(maxBytes: number, bytesOf: (text: string, value: T) => number): Memo<T> {
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
