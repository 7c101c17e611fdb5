import type { Sample } from "../generators/sample.ts";
import type { BenchmarkContext } from "./benchmark.ts";

/** Hits: the cheapest requests, in which the share of a small cost is largest. */
export const ROUNDS_WORKLOAD = {
    dimensions: 1536,
    encoding: "base64",
    items: 1,
    bodies: 1_024,
} as const;
export const CONNECTIONS = 64;
/** Rounds are short and many, so that disturbances affect all variants of a round alike. */
export const SECONDS = 1;
export const ROUNDS = 50;
const WARM_UP_ROUNDS = 4;

/** Measures each variant once a round; another one is the first in the next round. */
export async function measureInRounds<Kind extends string>(
    { showProgress }: Pick<BenchmarkContext, "showProgress">,
    title: string,
    kinds: readonly Kind[],
    measure: (kind: Kind) => Promise<Sample>,
): Promise<Readonly<Record<Kind, readonly Sample[]>>> {
    const samples = Object.fromEntries(kinds.map((kind) => [kind, [] as Sample[]])) as Record<
        Kind,
        Sample[]
    >;
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
        showProgress(`${title}: round ${round + 1} of ${ROUNDS}`);
        const first = (round + WARM_UP_ROUNDS) % kinds.length;
        for (const kind of [...kinds.slice(first), ...kinds.slice(0, first)]) {
            const sample = await measure(kind);
            if (round >= 0) samples[kind].push(sample);
        }
    }
    return samples;
}
