/** Decides which requests that could be answered go to the upstream instead, so that the error stays known. */
export interface Audits {
    /** @returns the probability with which the next answer to this text is audited, at least `least` */
    readonly shareOf: (text: string, least?: number) => number;
    /** @returns how often the text has been answered, this time included */
    readonly onServed: (text: string) => number;
}

const MAX_TEXTS = 10_000;

/**
 * A text that has been answered n times is audited with n + 1 times the probability: a wrong answer to a popular
 * text counts at every request, and its label costs one call for all of them.
 *
 * @param share probability for a new text
 */
export function createAudits(share: number): Audits {
    /** The oldest first. */
    const served = new Map<string, number>();
    return {
        shareOf: (text, least = 0) =>
            Math.min(1, Math.max(least, share * (1 + (served.get(text) ?? 0)))),
        onServed: (text) => {
            const times = (served.get(text) ?? 0) + 1;
            served.delete(text);
            served.set(text, times);
            const oldest = served.size > MAX_TEXTS ? served.keys().next().value : undefined;
            if (oldest !== undefined) served.delete(oldest);
            return times;
        },
    };
}
