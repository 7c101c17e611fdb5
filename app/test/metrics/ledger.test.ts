import { describe, expect, jest, test } from "@jest/globals";
import { Registry } from "prom-client";

import { computeTotals } from "../../src/cache/responseTotals.ts";
import { createLedger } from "../../src/ledger/ledger.ts";
import { createFlatPrice, createTokenPrices, type CurrentPrice } from "../../src/ledger/prices.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import type { ResolvedItem } from "../../src/cache/item.ts";

const TENANT = "search";

const item = (status: ResolvedItem["status"], tokens: number): ResolvedItem => ({
    status,
    embedding: createEmbedding(new Float32Array([1]), tokens, false),
});

const ledgerOf = (price: CurrentPrice, pod = 0) =>
    createLedger({
        registry: new Registry(),
        model: "a-model",
        price,
        dollarsPerHour: { pod, storage: 0 },
    });

describe("a summary", () => {
    test("counts items and tokens by status, and names the slowest status", () => {
        const sum = computeTotals([item("HIT-L1", 3), item("MISS", 5), item("HIT-L1", 2)]);
        expect(sum).toMatchObject({
            items: { "HIT-L1": 2, MISS: 1 },
            tokens: { "HIT-L1": 5, MISS: 5 },
            missedTokens: 5,
            savedTokens: 5,
            slowest: "MISS",
        });
        expect(computeTotals([item("HIT-L2", 1), item("COALESCED", 1)]).slowest).toBe("COALESCED");
    });
});

describe("by token prices", () => {
    let now = "";
    const listed = () =>
        createTokenPrices(
            [
                { from: Date.parse("2026-01-01"), dollarsPerMillionTokens: 10 },
                { from: Date.parse("2026-07-01"), dollarsPerMillionTokens: 4 },
            ],
            () => Date.parse(now),
        );

    test("each item saves its own tokens at the price of its day", () => {
        now = "2026-06-30T23:59:59Z";
        const ledger = ledgerOf(listed());
        const sum = computeTotals([
            item("HIT-L1", 100_000),
            item("HIT-L2", 50_000),
            item("MISS", 7),
        ]);
        ledger.recordResponse(TENANT, sum);
        now = "2026-07-01T00:00:00Z";
        ledger.recordResponse(TENANT, sum);
        ledger.recordCall({ tenant: TENANT, purpose: "request" }, 1_000_000);
        const { tenants } = ledger.statement();
        expect(tenants[TENANT]?.saved.hit_l1).toEqual({ tokens: 200_000, dollars: 1.4 });
        expect(tenants[TENANT]?.saved.hit_l2?.dollars).toBeCloseTo(0.7);
        expect(tenants[TENANT]?.billed.request).toEqual({ tokens: 1_000_000, dollars: 4 });
    });

    test("the first price applies before its date, and each price from its date on", () => {
        now = "2025-01-01";
        const { price } = ledgerOf(listed());
        expect(price(1_000_000, 3)).toBe(10);
        now = "2026-06-30T23:59:59Z";
        expect(price(1_000_000, 3)).toBe(10);
        now = "2026-07-01T00:00:00Z";
        expect(price(1_000_000, 3)).toBe(4);
        now = "2030-01-01";
        expect(price(1_000_000, 3)).toBe(4);
    });
});

describe("by the flat price", () => {
    test("only a request that reached no upstream saves, distributed over its sources", () => {
        const ledger = ledgerOf(createFlatPrice(0.001));
        ledger.recordResponse(TENANT, computeTotals([item("HIT-L1", 9), item("MISS", 1)]));
        expect(ledger.statement().savedDollars).toBe(0);
        const totals = computeTotals([item("HIT-L1", 1), item("HIT-L1", 1), item("HIT-L2", 1)]);
        ledger.recordResponse(TENANT, totals);
        const { tenants, savedDollars } = ledger.statement();
        expect(savedDollars).toBeCloseTo(0.001);
        expect(tenants[TENANT]?.saved.hit_l1?.dollars).toBeCloseTo(0.002 / 3);
        expect(ledger.price(500, 3)).toBeCloseTo(0.003);
    });
});

test("net savings exclude refreshes, warm-ups and the pod; misses are no cost of the cache", () => {
    let now = 0;
    const clock = jest.spyOn(performance, "now").mockImplementation(() => now);
    const ledger = ledgerOf(createFlatPrice(1), 0.5);
    now = 2 * 3_600_000;
    for (let at = 0; at < 10; at += 1)
        ledger.recordResponse(TENANT, computeTotals([item("HIT-L1", 1)]));
    ledger.recordCall({ tenant: TENANT, purpose: "request" }, 1);
    ledger.recordCall({ tenant: TENANT, purpose: "refresh" }, 1);
    ledger.recordCall({ tenant: TENANT, purpose: "warmup" }, 1);
    expect(ledger.statement()).toMatchObject({
        savedDollars: 10,
        billedDollars: 3,
        podDollars: 1,
        netDollars: 7,
    });
    clock.mockRestore();
});
