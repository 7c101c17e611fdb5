import { SERVICE_SETTINGS } from "@property-search/contract/settings";

import { holds, type Finding } from "../criteria.ts";
import { computeMoney, MONTHLY_GOAL_DOLLARS, type Money, type Saving } from "../day/money.ts";
import { replayDays } from "../day/replay.ts";
import { DAY } from "../day/trace.ts";
import { percent, type Step } from "../step.ts";

const HIT_GOAL = 0.8;
const COST_GOAL = 0.95;
/** Seconds in which a day is replayed, if the machine is fast enough. */
const DAY_SECONDS = 45;

export const day: Step = {
    name: "day",
    title: "two days of a property search, replayed against the service, Redis and the local model",
    minutes: [2.5, 2.5],
    run: async ({ processes, showProgress, signal }) => {
        const options = { day: DAY, seconds: DAY_SECONDS, processes, showProgress, signal };
        const [first, second] = await replayDays(options);
        const monies = [first, second].map((one) => computeMoney(one.ledger, one.requests));
        const [cold, ordinary] = monies as [Money, Money];
        const failed = first.failed + second.failed;
        return {
            findings: judgeDays(cold, ordinary, failed),
            data: {
                options: DAY,
                first,
                second,
                money: { cold, ordinary },
                priceInForce: PRICE_IN_FORCE,
            },
        };
    },
};

const TOKEN_PRICES: string = SERVICE_SETTINGS.tokenPrices.default;
/** The service of the replay has the default prices; without prices per token, a request has a flat one. */
const PRICE_IN_FORCE: Saving["model"] = TOKEN_PRICES === "" ? "flat" : "tokens";
const PRICE_WORDS = { flat: "flat price per request", tokens: "price per token" } as const;

/** @param failed requests of both days without an answer, which would be missing in the figures */
export function judgeDays(
    cold: Money,
    ordinary: Money,
    failed: number,
    priceInForce = PRICE_IN_FORCE,
): Record<string, Finding> {
    const workload =
        `${ordinary.requests.toLocaleString("en")} embedding requests of ${DAY.sessions.toLocaleString("en")} visits in a day, ` +
        `${DAY.listings.toLocaleString("en")} listings, ${DAY.changed} changed, Zipf ${DAY.zipf}, seed ${DAY.seed}`;
    const unknown = failed > 0 ? `; ${failed} requests failed, so the figures are not exact` : "";
    const finding = (isMet: boolean, measured: string): Finding => ({
        measured: measured + unknown,
        workload,
        verdict: failed > 0 ? "not measured" : holds(isMet),
    });
    const [flat, tokens] = ordinary.savings;
    const dollars = ({ dollarsPerMonth, arithmetic }: Saving) =>
        `$${dollarsPerMonth.toFixed(2)} (${arithmetic})`;
    const [inForce, other] = priceInForce === "flat" ? [flat, tokens] : [tokens, flat];
    return {
        hits: finding(
            ordinary.hitRate >= HIT_GOAL,
            `${percent(ordinary.hitRate)}; on the first day, from an empty cache, ${percent(cold.hitRate)}`,
        ),
        cost: finding(
            ordinary.costCut >= COST_GOAL,
            `${percent(ordinary.costCut)}; on the first day, from an empty cache, ${percent(cold.costCut)}`,
        ),
        money: finding(
            inForce.dollarsPerMonth > MONTHLY_GOAL_DOLLARS,
            `in force: ${PRICE_WORDS[inForce.model]}: ${dollars(inForce)}; by the ${PRICE_WORDS[other.model]} it would be ${dollars(other)}, ` +
                `and the goal would need ${other.requestsPerDayForGoal.toLocaleString("en")} such requests a day`,
        ),
    };
}
