import { METRICS } from "@property-search/contract";

import { oursWithRedis } from "../peers/service/service.ts";
import { median } from "../report/statistics.ts";
import { listingText, requestJson } from "../workload.ts";
import { post } from "./fill.ts";
import { atMost } from "./floors.ts";
import { scrape, sumOfSeries } from "./metrics.ts";
import { withService, type Benchmark } from "./benchmark.ts";

const ITEMS = 256;
const MISSES = 64;
const ROUNDS = 40;
/** Rounds until the code for both kinds of batch is compiled. */
const WARM_UP_ROUNDS = 10;
const SHAPE = { encoding: "base64", dimensions: 1536 } as const;
const ID = "mixed-batch";
const TITLE = `a batch of ${ITEMS} with ${MISSES} misses against its misses alone, time in the server`;

/** Hits in a batch must not cost as much as misses. The two kinds take turns, each time with new misses. */
export const mixedBatch: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [],
    run: (context) =>
        withService(oursWithRedis, context, async (service) => {
            const times = { mixed: [] as number[], alone: [] as number[] };
            const hits = range(0, ITEMS - MISSES);
            let next = 100_000;

            async function measureMilliseconds(texts: readonly string[]): Promise<number> {
                const before = await serverSeconds();
                await post(service, requestJson(texts, SHAPE));
                return ((await serverSeconds()) - before) * 1000;
            }

            async function serverSeconds(): Promise<number> {
                return sumOfSeries(await scrape(service), `${METRICS.responseTime}_sum`);
            }

            function newMisses(): string[] {
                next += MISSES;
                return range(next - MISSES, next);
            }

            await post(service, requestJson(hits, SHAPE));
            for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
                context.signal.throwIfAborted();
                const mixed = await measureMilliseconds(interleave(hits, newMisses()));
                const alone = await measureMilliseconds(newMisses());
                if (round < 0) continue;
                times.mixed.push(mixed);
                times.alone.push(alone);
            }
            const mixed = median(times.mixed);
            const alone = median(times.alone);
            const difference = median(
                times.mixed.map((time, round) => time - (times.alone[round] ?? NaN)),
            );
            const description = `a mixed batch of ${ITEMS} ≤ its misses + 5 ms, median of ${ROUNDS}`;
            return {
                setting: { ...SHAPE, items: ITEMS, misses: MISSES, rounds: ROUNDS },
                facts: [{ batch: "median ms", mixed, "misses alone": alone, difference }],
                floors: [atMost(description, 5, "ms", difference)],
            };
        }),
};

function range(from: number, to: number): string[] {
    return Array.from({ length: to - from }, (_, at) => listingText(from + at));
}

/** Every fourth text is a miss, so that no processing order has an advantage. */
function interleave(hits: readonly string[], misses: readonly string[]): string[] {
    const each = hits.length / misses.length;
    return misses.flatMap((miss, at) => [miss, ...hits.slice(at * each, (at + 1) * each)]);
}
