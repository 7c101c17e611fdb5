import type { Log } from "../../log.ts";

/** Native length of the model's vectors. */
export interface VectorLength {
    readonly current: () => number | undefined;
    /**
     * Why vectors of this length cannot be the model's, or undefined when they are.
     *
     * @param text one of the inputs they are for
     */
    readonly fault: (length: number, text: string) => string | undefined;
}

export interface VectorLengthOptions {
    /** Of a model that is known: it never changes. */
    readonly known: number | undefined;
    /** Vectors of this length are of another model. */
    readonly onChange: (former: number) => void;
    readonly log: Log;
}

/** A wrong answer may be repeated for its text; for so many texts in a row it is the model that is another. */
const TEXTS_TO_CHANGE = 3;

/**
 * Learns the length with the first answer, and learns another one only where answers for several texts in a
 * row agree on it: one answer that was cut must not decide for the life of the process.
 */
export function vectorLength({ known, onChange, log }: VectorLengthOptions): VectorLength {
    let current = known;
    let other: number | undefined;
    let texts = new Set<string>();

    function learn(length: number): void {
        if (current !== undefined) {
            log.warn({ from: current, to: length }, "The upstream's model has another length now");
            onChange(current);
        }
        current = length;
        other = undefined;
        texts = new Set();
    }

    return {
        current: () => current,
        fault: (length, text) => {
            if (current === undefined) learn(length);
            if (length === current) {
                texts.clear();
                return undefined;
            }
            if (length !== other) texts = new Set();
            other = length;
            texts.add(text);
            const before = current;
            if (known === undefined && texts.size >= TEXTS_TO_CHANGE) {
                learn(length);
                return undefined;
            }
            return `it has ${length} dimensions instead of ${before}`;
        },
    };
}
