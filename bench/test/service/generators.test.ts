import { describe, expect, test } from "@jest/globals";

import { parseSample } from "../../service/generators/measure.ts";

const RESULT =
    '{"requests":3000,"microseconds":1500000,"bytes":6000000,' +
    '"p50":1500,"p90":2000,"p95":2500,"p99":3000,"p999":4000,"max":5000,"rejected":0,"unanswered":0}';

describe("output of a generator", () => {
    test("is parsed from its line of JSON, in milliseconds and per second", () => {
        const { elapsed, sample } = parseSample(`Running 2s test\n  2 threads\n${RESULT}\n`);
        expect(elapsed).toBe(1.5);
        expect(sample).toEqual({
            rate: 2000,
            bytesPerSecond: 4e6,
            failed: 0,
            latency: { p50: 1.5, p90: 2, p95: 2.5, p99: 3, p999: 4, max: 5 },
        });
    });

    test("counts answers that are not 2xx as failed, not as answered", () => {
        const { sample } = parseSample(RESULT.replace('"rejected":0', '"rejected":1500'));
        expect(sample).toMatchObject({ rate: 1000, failed: 1500 });
    });

    test("counts requests without an answer as failed", () => {
        expect(parseSample(RESULT.replace('"unanswered":0', '"unanswered":7')).sample.failed).toBe(
            7,
        );
    });

    test("without a result is an error that shows the output", () => {
        expect(() => parseSample("unable to connect")).toThrow("unable to connect");
    });
});
