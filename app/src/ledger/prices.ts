import type { DatedPrice } from "@property-search/contract/settings";

import { wallClock } from "../clock.ts";

/** Current prices of the upstream, in dollars. */
export interface Price {
    readonly perToken: number;
    readonly perCall: number;
}

/** Price list of one model, with prices by date. */
export type CurrentPrice = () => Price;

export function createFlatPrice(dollarsPerCall: number): CurrentPrice {
    const price = { perToken: 0, perCall: dollarsPerCall };
    return () => price;
}

/**
 * @param dated at least one price, sorted by date; the first one also applies before its date
 * @param clock monotonic
 */
export function createTokenPrices(dated: readonly DatedPrice[], clock = wallClock): CurrentPrice {
    const prices = dated.map(({ from, dollarsPerMillionTokens }) => ({
        from,
        price: { perToken: dollarsPerMillionTokens / 1e6, perCall: 0 },
    }));
    const [first] = prices;
    if (!first) throw new Error("The price list is empty");
    let { price } = first;
    let validUntil = -Infinity;
    return () => {
        const now = clock();
        if (now >= validUntil) {
            const at = prices.findLastIndex(({ from }) => from <= now);
            price = (prices[at] ?? first).price;
            validUntil = prices[at + 1]?.from ?? Infinity;
        }
        return price;
    };
}

/** @returns dollars */
export function computeCost({ perToken, perCall }: Price, tokens: number, calls: number): number {
    return tokens * perToken + calls * perCall;
}
