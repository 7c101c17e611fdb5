import type { Input } from "../../input.ts";
import type { ShareCounter } from "./tokenCounterThread.ts";

/**
 * Weights of inputs in the distribution of a call's tokens. If the model's tokens are unknown or cannot be
 * counted, bytes are the weights. Never rejects, because the result is awaited later.
 */
export async function weighInputs(
    inputs: readonly Input[],
    countTokens?: ShareCounter,
): Promise<readonly number[]> {
    if (inputs.length === 1) return [1];
    const texts = inputs.flatMap((input) => (input.kind === "text" ? input.text : []));
    const bytes = (): readonly number[] => texts.map((text) => Buffer.byteLength(text));
    // Without a text, the counter's thread and vocabulary are not needed.
    const counting = texts.length > 0 ? countTokens?.(texts) : undefined;
    const counts = (await counting?.catch(bytes)) ?? bytes();
    let at = 0;
    return inputs.map((input) => (input.kind === "text" ? (counts[at++] ?? 0) : input.ids.length));
}

/**
 * Distributes the tokens of a call over its inputs by weight. The parts are integers that sum to the total
 * exactly (largest remainder), so that the ledger agrees with the provider's bill.
 */
export function distributeTokens(total: number, weights: readonly number[]): readonly number[] {
    const sum = weights.reduce((a, b) => a + b, 0);
    const shares = weights.map((weight) => (sum === 0 ? 0 : (total * weight) / sum));
    const parts = shares.map(Math.floor);
    const byRemainder = shares
        .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
        .sort((a, b) => b.remainder - a.remainder);
    let remaining = total - parts.reduce((a, b) => a + b, 0);
    for (const { index } of byRemainder) {
        if (remaining <= 0) break;
        parts[index] = (parts[index] ?? 0) + 1;
        remaining -= 1;
    }
    return parts;
}
