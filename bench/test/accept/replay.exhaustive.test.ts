import { afterAll, expect, test } from "@jest/globals";

import { computeMoney } from "../../accept/day/money.ts";
import { replayDays } from "../../accept/day/replay.ts";
import { DAY } from "../../accept/day/trace.ts";
import { createProcesses } from "../../service/processes/processes.ts";

const SMALL = { ...DAY, sessions: 120, listings: 40, changed: 5, questions: 60 };
const processes = createProcesses();
afterAll(() => processes.killAll());

const replay = () =>
    replayDays({
        ...{ day: SMALL, seconds: 4, processes, showProgress: () => undefined },
        signal: new AbortController().signal,
    });

test("two days against the service, the model, Redis and the example are counted exactly, and equally each time", async () => {
    const first = await replay();
    for (const { ledger, requests, failed, services } of first) {
        expect(failed).toBe(0);
        const { lookups } = ledger;
        expect(Object.values(lookups).reduce((all, one) => all + one, 0)).toBe(requests);
        const hits = Object.values(services).reduce((all, one) => all + one.hits, 0);
        expect(hits).toBe(requests - (lookups.miss ?? 0));
        // Both price the same requests: the ledger in dollars, the arithmetic by their number.
        const { hitRate } = computeMoney(ledger, requests);
        expect(ledger.dollarsSaved).toBeCloseTo((requests * hitRate) / 1000, 6);
    }
    const second = await replay();
    // Which tier a hit comes from depends on time; how many there are does not.
    const counts = (days: typeof first) =>
        days.map(({ ledger: { lookups, tokensSaved, tokensBilled } }) => [
            ...[lookups.miss, tokensSaved, tokensBilled],
        ]);
    expect(counts(second)).toEqual(counts(first));
}, 600_000);
