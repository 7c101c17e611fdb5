/** What a warm-up may cost at most; undefined: no limit of this kind. */
export interface Budget {
    readonly maxTokens: number | undefined;
    readonly maxDollars: number | undefined;
}

/** Dollars of so many tokens in so many calls of the upstream, by the price model in force. */
export type Price = (tokens: number, calls: number) => number;

export interface Cost {
    readonly tokens: number;
    readonly dollars: number;
}

/** @returns why this cost is above the budget, or undefined when it fits. */
export function overBudget(
    { maxTokens, maxDollars }: Budget,
    { tokens, dollars }: Cost,
): string | undefined {
    if (maxTokens !== undefined && tokens > maxTokens) {
        return `${tokens} tokens, and maxTokens is ${maxTokens}`;
    }
    if (maxDollars !== undefined && dollars > maxDollars) {
        return `${dollars.toFixed(4)} dollars, and maxDollars is ${maxDollars}`;
    }
    return undefined;
}
