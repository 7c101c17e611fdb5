import { describe, expect, test } from "@jest/globals";

import { parseLedger, subtractLedger, type Ledger } from "../../accept/day/counters.ts";
import { computeMoney } from "../../accept/day/money.ts";
import { compress, createDay, DAY } from "../../accept/day/trace.ts";
import { judgeDays } from "../../accept/steps/day.ts";

const SMALL = { ...DAY, sessions: 800, listings: 200, changed: 20, questions: 300 };
const day = (number: number, options = SMALL) => createDay(options, number, ["p1", "p2"]);
const textsOf = (entries: ReturnType<typeof day>, route: string) =>
    entries.filter((one) => one.route === route).map(({ body = "" }) => body);

describe("a day of a property search", () => {
    test("is the same for the same seed, and another for another day", () => {
        expect(day(0)).toEqual(day(0));
        expect(day(1)).not.toEqual(day(0));
        expect(day(0, { ...SMALL, seed: 13 })).not.toEqual(day(0));
    });

    test("has its requests in order, most of them in the evening and few at night", () => {
        const times = day(0).map(({ at = NaN }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(times.at(-1)).toBeLessThan(86_400_000);
        const between = (from: number, to: number) =>
            times.filter((at) => at >= from * 3_600_000 && at < to * 3_600_000).length;
        expect(between(19, 22)).toBeGreaterThan(8 * between(2, 5));
    });

    test("begins with the listings of the day before, as they were changed", () => {
        const first = new Set(textsOf(day(0), "embed"));
        const second = new Set(textsOf(day(1), "embed"));
        const added = [...second].filter((text) => !first.has(text));
        // What changed on the second day, and the few listings that nobody viewed on the first.
        expect(added.length).toBeGreaterThanOrEqual(SMALL.changed);
        expect(added.length).toBeLessThan(SMALL.changed + 30);
    });

    test("has texts that nobody repeats, in the stated shares", () => {
        const chats = textsOf(day(0), "chat");
        const unique = chats.filter((body) => / 0-\d+","sessionId/.test(body));
        expect(unique.length / chats.length).toBeCloseTo(DAY.uniqueQuestions, 1);
        expect(new Set(unique).size).toBe(unique.length);
    });

    test("is compressed in time for a number of users, each with its requests in order", () => {
        const entries = [...compress(day(0), 60, 16)];
        expect(entries.length).toBe(day(0).length);
        for (const { at = NaN, user } of entries) {
            expect(at).toBeLessThanOrEqual(60_000);
            expect(user).toBeLessThan(16);
        }
    });
});

const METRICS_TEXT = `
# HELP embedding_cache_lookups_total Items
embedding_cache_lookups_total{result="hit_l1"} 70
embedding_cache_lookups_total{result="coalesced"} 6
embedding_cache_lookups_total{result="miss"} 24
embedding_tokens_saved_total{tenant="a",model="m",result="hit_l1"} 900
embedding_tokens_saved_total{tenant="b",model="m",result="hit_l2"} 60
embedding_tokens_billed_total{tenant="a",model="m",purpose="request"} 40
embedding_cost_saved_dollars_total{tenant="a"} 0.076
embedding_cost_billed_dollars_total{tenant="a"} 2.4e-2
`;
const LEDGER: Ledger = {
    lookups: { hit_l1: 70, coalesced: 6, miss: 24 },
    ...{ tokensSaved: 960, tokensBilled: 40, dollarsSaved: 0.076, dollarsBilled: 0.024 },
};

describe("the ledger", () => {
    test("is read from the service's metrics, over all tenants", () => {
        expect(parseLedger(METRICS_TEXT)).toEqual(LEDGER);
    });

    test("is not taken for 0 where the service does not export it", () => {
        expect(() => parseLedger("up 1")).toThrow("exports no embedding_tokens_saved_total");
    });

    test("of a day is its growth", () => {
        const before = { ...LEDGER, lookups: { hit_l1: 30 }, tokensSaved: 60 };
        expect(subtractLedger(LEDGER, before)).toMatchObject({
            lookups: { hit_l1: 40, coalesced: 6, miss: 24 },
            tokensSaved: 900,
            tokensBilled: 0,
        });
    });
});

describe("money", () => {
    const money = computeMoney(LEDGER, 100);

    test("is the arithmetic of both price models", () => {
        expect(money).toMatchObject({ hitRate: 0.76, costCut: 0.96 });
        const [flat, tokens] = money.savings;
        expect(flat.dollarsPerMonth).toBeCloseTo((76 * 365) / 12 / 1000, 6);
        expect(tokens.dollarsPerMonth).toBeCloseTo((960 * 365 * 0.02) / 12 / 1e6, 9);
        // At this many requests a day, the saving is $500 and not a cent less.
        expect((flat.requestsPerDayForGoal / 100) * flat.dollarsPerMonth).toBeGreaterThanOrEqual(
            500,
        );
        expect(((flat.requestsPerDayForGoal - 1) / 100) * flat.dollarsPerMonth).toBeLessThan(500);
        expect(flat.arithmetic).toBe(
            "$0.08 a day by the ledger, which is 76 requests avoided × $0.001; × 30.42 days",
        );
    });

    test("and hits are judged by an ordinary day; the first day is shown", () => {
        const findings = judgeDays({ ...money, hitRate: 0.5 }, money, 0);
        expect(findings).toMatchObject({
            hits: {
                verdict: "not met",
                measured: expect.stringContaining(
                    "76.00 %; on the first day, from an empty cache, 50.00 %",
                ),
            },
            cost: { verdict: "met" },
            money: {
                verdict: "not met",
                measured: expect.stringContaining("by the price per token it would be $0.00"),
            },
        });
        const byTokens = judgeDays(money, money, 0, "tokens").money;
        expect(byTokens?.measured).toMatch(
            /^in force: price per token: \$0\.00 .*; by the flat price per request it would be \$2\.31 /,
        );
        const rich = computeMoney({ ...LEDGER, dollarsSaved: 22.8 }, 30_000);
        expect(judgeDays(rich, rich, 0).money).toMatchObject({ verdict: "met" });
    });

    test("is not measured if a request failed: it is missing in the counts", () => {
        const findings = judgeDays(money, money, 2);
        expect(Object.values(findings).map(({ verdict }) => verdict)).toEqual([
            "not measured",
            "not measured",
            "not measured",
        ]);
        expect(findings.hits?.measured).toContain("2 requests failed");
    });
});
