/** Maximum cost of a warm-up; undefined: unlimited. */
export interface Budget {
    readonly maxTokens: number | undefined;
    readonly maxDollars: number | undefined;
}

/** Dollars for a number of tokens in a number of upstream calls, at the current price. */
export type Price = (tokens: number, calls: number) => number;

export interface Cost {
    readonly tokens: number;
    readonly dollars: number;
}

/** @returns by how much the cost exceeds the budget, or undefined if it does not */
export function budgetExcess(
    { maxTokens, maxDollars }: Budget,
    { tokens, dollars }: Cost,
): string | undefined {
    if (maxTokens !== undefined && tokens > maxTokens) {
        return `${tokens} tokens; maxTokens is ${maxTokens}`;
    }
    if (maxDollars !== undefined && dollars > maxDollars) {
        return `${dollars.toFixed(4)} dollars; maxDollars is ${maxDollars}`;
    }
    return undefined;
}
