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
 * @param maxCharacters of the texts of one generation; longer texts than a tenth of it are not kept
 */
export function memo<T>(maxCharacters: number): Memo<T> {
    let young = new Map<string, T>();
    let old = new Map<string, T>();
    let characters = 0;

    function set(text: string, value: T): void {
        if (text.length > maxCharacters / 10) return;
        characters += text.length;
        if (characters > maxCharacters) {
            old = young;
            young = new Map();
            characters = text.length;
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
