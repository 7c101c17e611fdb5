/** Maximum edit distance of a suggestion: one edit per three letters, at most three. */
const MAX_EDITS = 3;

/** @returns ` (did you mean prod?)` for a mistyped word, or an empty string if no allowed word is close */
export function suggestNearest(word: string, allowed: readonly string[]): string {
    const limit = Math.min(MAX_EDITS, Math.ceil(word.length / 3));
    const near = allowed
        .map((one) => ({ one, edits: editDistance(word.toLowerCase(), one.toLowerCase()) }))
        .filter(({ edits }) => edits <= limit)
        .toSorted((a, b) => a.edits - b.edits)[0];
    return near === undefined ? "" : ` (did you mean ${near.one}?)`;
}

/** Optimal string alignment distance: insertions, deletions, substitutions and transpositions. */
export function editDistance(from: string, to: string): number {
    const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
    for (let row = 1; row <= from.length; row += 1) {
        const costs = [row];
        for (let column = 1; column <= to.length; column += 1) {
            const at = (up: number, left: number) => rows[row - up]?.[column - left] ?? Infinity;
            const isSame = from[row - 1] === to[column - 1];
            const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
            costs[column] = Math.min(
                at(1, 0) + 1,
                (costs[column - 1] ?? Infinity) + 1,
                at(1, 1) + (isSame ? 0 : 1),
                isSwap ? at(2, 2) + 1 : Infinity,
            );
        }
        rows.push(costs);
    }
    return rows.at(-1)?.at(-1) ?? 0;
}
