import { SERVICE_SETTINGS } from "@property-search/contract/settings";

import { hitShare } from "../../load/objectives.ts";
import type { Ledger } from "./counters.ts";

/** Price of a request without the cache, unless prices per token are set. */
export const FLAT_DOLLARS = Number(SERVICE_SETTINGS.costPerRequestDollars.default);
/** Price of text-embedding-3-small in the requirements. */
export const DOLLARS_PER_MILLION_TOKENS = 0.02;
const DAYS_PER_MONTH = 365 / 12;
/** The monthly saving that the criterion asks for. */
export const MONTHLY_GOAL_DOLLARS = 500;

/** Dollars of one price model, and what they are computed from. */
export interface Saving {
    readonly model: "flat" | "tokens";
    readonly dollarsPerMonth: number;
    readonly arithmetic: string;
    /** Requests a day at which the goal is met with these hits and texts. */
    readonly requestsPerDayForGoal: number;
}

export interface Money {
    readonly requests: number;
    /** Share (0–1) of lookups that needed no upstream call. */
    readonly hitRate: number;
    /** Share (0–1) of tokens that were not billed. */
    readonly costCut: number;
    readonly savings: readonly [flat: Saving, tokens: Saving];
}

/** Hits and money of a day by the service's own ledger. @param requests embedding requests of the day */
export function computeMoney(ledger: Ledger, requests: number): Money {
    const { lookups, tokensSaved, tokensBilled, dollarsSaved } = ledger;
    const hitRate = hitShare(lookups);
    const avoided = Math.round(requests * hitRate);
    // The flat price is in force in the replay, so its dollars are those of the ledger.
    const flat = dollarsSaved * DAYS_PER_MONTH;
    const byTokens = (tokensSaved * DAYS_PER_MONTH * DOLLARS_PER_MILLION_TOKENS) / 1e6;
    const days = DAYS_PER_MONTH.toFixed(2);
    const forGoal = (dollars: number) => Math.ceil((requests * MONTHLY_GOAL_DOLLARS) / dollars);
    return {
        requests,
        hitRate,
        costCut: tokensSaved / (tokensSaved + tokensBilled),
        savings: [
            {
                model: "flat",
                dollarsPerMonth: flat,
                arithmetic:
                    `$${dollarsSaved.toFixed(2)} a day by the ledger, which is ${avoided.toLocaleString("en")} requests avoided × ` +
                    `$${FLAT_DOLLARS}; × ${days} days`,
                requestsPerDayForGoal: forGoal(flat),
            },
            {
                model: "tokens",
                dollarsPerMonth: byTokens,
                arithmetic:
                    `${Math.round(tokensSaved).toLocaleString("en")} tokens avoided a day × ${days} days × ` +
                    `$${DOLLARS_PER_MILLION_TOKENS} per million`,
                requestsPerDayForGoal: forGoal(byTokens),
            },
        ],
    };
}
