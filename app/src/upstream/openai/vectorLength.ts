import type { Log } from "../../log.ts";

/** Native dimensions of the model. */
export interface VectorLength {
    readonly current: () => number | undefined;
    /**
     * @param text one of the inputs
     * @returns why vectors of this length cannot be the model's, or undefined if they can
     */
    readonly findError: (length: number, text: string) => string | undefined;
}

export interface VectorLengthOptions {
    /** Dimensions of a known model, which never change. */
    readonly known: number | undefined;
    /** Called with the previous dimensions, whose vectors belong to another model. */
    readonly onChange: (previous: number) => void;
    readonly log: Log;
}

/**
 * A wrong response may be repeated for the same text; for this many consecutive texts, the model has changed.
 */
const TEXTS_TO_CHANGE = 3;

/**
 * Learns the dimensions from the first response. Another length is adopted only if responses for several
 * consecutive texts agree, because a single truncated response must not decide.
 */
export function createVectorLength({ known, onChange, log }: VectorLengthOptions): VectorLength {
    let current = known;
    let other: number | undefined;
    let texts = new Set<string>();

    function learn(length: number): void {
        if (current !== undefined) {
            log.warn(
                { from: current, to: length },
                "The dimensions of the upstream's model have changed",
            );
            onChange(current);
        }
        current = length;
        other = undefined;
        texts = new Set();
    }

    return {
        current: () => current,
        findError: (length, text) => {
            if (current === undefined) learn(length);
            if (length === current) {
                texts.clear();
                return undefined;
            }
            if (length !== other) texts = new Set();
            other = length;
            const before = current;
            // Otherwise nothing is learned, and the texts would be kept.
            if (known === undefined) texts.add(text);
            if (texts.size >= TEXTS_TO_CHANGE) {
                learn(length);
                return undefined;
            }
            return `it has ${length} dimensions instead of ${before}`;
        },
    };
}
