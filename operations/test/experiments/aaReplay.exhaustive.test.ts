import { expect, test } from "@jest/globals";
import { replay } from "../support/experimentReplay.ts";

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
