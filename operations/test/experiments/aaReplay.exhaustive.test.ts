import { expect, test } from "@jest/globals";
import type { Difference } from "../../experiments/difference.ts";
import { replay } from "../support/experimentReplay.ts";
import { replayUsers } from "../support/userReplay.ts";

test("an experiment whose arms are the same decides in at most 5 % of 1,000 replays, at any look", () => {
    const shares = replay({
        ...{ runs: 1_000, days: 14, texts: 2_000, requestsPerDay: 1_000 },
        ttlDays: { control: 3, treatment: 3 },
    });
    const { adopt = 0, reject = 0, broken = 0 } = shares;

    console.log(
        `adopted ${adopt.toFixed(3)}, rejected ${reject.toFixed(3)}, broken ${broken.toFixed(3)}`,
    );
    expect(adopt + reject).toBeLessThanOrEqual(0.05);
    expect(broken).toBeLessThanOrEqual(0.01);
});

const excludesZero = (difference: Difference | undefined): boolean =>
    difference !== undefined && (difference.low > 0 || difference.high < 0);

test.each([
    { users: 200, percent: 50 },
    { users: 2_000, percent: 20 },
    { users: 20_000, percent: 50 },
])(
    "arms of the same users ($users, $percent % treated) differ in at most 5 % of 1,000 replays, at any look",
    (size) => {
        const runs = replayUsers({
            ...{ runs: 1_000, days: 14, texts: 2_000, requestsPerDay: 1_000 },
            ...size,
        });
        const share = (isSo: (day: (typeof runs)[number][number]) => boolean) =>
            runs.filter((days) => days.some(isSo)).length / runs.length;
        const shares = {
            tokens: share(({ tokens }) => excludesZero(tokens)),
            hitRate: share(({ hitRate }) => excludesZero(hitRate)),
            relevance: share(({ relevance }) => excludesZero(relevance)),
            stopped: share(({ decision }) => decision === "stop"),
            broken: share(({ decision }) => decision === "broken"),
            adopted: share(({ decision }) => decision === "adopt"),
        };

        console.log(size, shares);
        for (const figure of ["tokens", "hitRate", "relevance", "stopped"] as const)
            expect(shares[figure]).toBeLessThanOrEqual(0.05);
        expect(shares.broken).toBeLessThanOrEqual(0.01);
    },
);

test("users of the treatment buy less in each run, on average by more than its adoption saves", () => {
    const answeredShare = 0.4;
    const size = { days: 14, users: 2_000, texts: 2_000, requestsPerDay: 10_000, answeredShare };
    const boughtBy = (percent: number): number =>
        replayUsers({ ...size, runs: 1, percent })[0]?.at(-1)?.bought ?? NaN;
    const saved = boughtBy(100) / boughtBy(0) - 1;
    const measured = replayUsers({ ...size, runs: 20, percent: 50 }).map((days) => {
        const tokens = days.at(-1)?.tokens;
        return tokens ? tokens.estimate / tokens.means.control : NaN;
    });
    const mean = measured.reduce((sum, one) => sum + one, 0) / measured.length;
    const squares = measured.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    const error = Math.sqrt(squares / (measured.length - 1) / measured.length);

    console.log({ saved, mean, error, least: Math.max(...measured), most: Math.min(...measured) });
    expect(saved).toBeCloseTo(-answeredShare, 1);
    for (const one of measured) expect(one).toBeLessThan(0);
    // The control pays for texts that the treatment was answered without an entry: for those that users of both arms
    // request, twice as much as without the treatment.
    expect(mean + 2 * error).toBeLessThan(saved);
    expect(mean).toBeGreaterThan((-2 * answeredShare) / (1 + answeredShare));
});
