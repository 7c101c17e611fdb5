import type { Behaviour } from "./simulation.ts";

/** A warm colour: nearly all answers are hits within milliseconds; a miss takes as long as the model. */
const WARM: Behaviour = {
    errors: 0.001,
    results: { hit_l1: 0.85, hit_l2: 0.1, miss: 0.05 },
    // Slower than 0.05, 0.1, 0.2, 0.5, 1 and 2 s.
    slower: {
        hit_l1: [0.005, 0.001, 0, 0, 0, 0],
        hit_l2: [0.01, 0.002, 0.001, 0, 0, 0],
        miss: [0.4, 0.15, 0.05, 0.01, 0.002, 0],
    },
};

export interface Scenario {
    readonly name: string;
    readonly candidate: Behaviour;
    readonly active: Behaviour;
}

const SLOWER_HITS = [1, 1, 1, 0, 0, 0];
const SLOWER_MISSES = [1, 1, 1, 0.04, 0.002, 0];

/** Candidates within the limits: each failure is a false alarm. */
export const GOOD: readonly Scenario[] = [
    { name: "as good as the active", candidate: WARM, active: WARM },
    {
        name: "with a cold cache: 60 % misses instead of 5 %",
        candidate: { ...WARM, results: { hit_l1: 0.1, hit_l2: 0.3, miss: 0.6 } },
        active: WARM,
    },
    {
        name: "just within the limits: errors 0.2 % for 0.1 %, every slow share 1.5 × and 5 points more",
        candidate: {
            ...WARM,
            errors: 0.002,
            slower: Object.fromEntries(
                Object.entries(WARM.slower).map(([result, chances]) => [
                    result,
                    // p95 has a limit of its own: 5 % at 0.2 s for hits, at 2 s for misses.
                    chances.map((chance, at) =>
                        Math.min(chance * 1.5 + 0.05, at >= (result === "miss" ? 5 : 2) ? 0.05 : 1),
                    ),
                ]),
            ),
        },
        active: WARM,
    },
];

export const BAD: readonly Scenario[] = [
    ...(
        [
            [0, 0.05],
            [0.001, 0.05],
            [0.001, 0.01],
            [0.001, 0.005],
        ] as const
    ).map(([active, candidate]) => ({
        name: `errors ${active * 100} % → ${candidate * 100} %`,
        candidate: { ...WARM, errors: candidate },
        active: { ...WARM, errors: active },
    })),
    {
        name: "+200 ms on every answer",
        candidate: {
            ...WARM,
            slower: { hit_l1: SLOWER_HITS, hit_l2: SLOWER_HITS, miss: SLOWER_MISSES },
        },
        active: WARM,
    },
    {
        name: "+200 ms on every tenth hit",
        candidate: {
            ...WARM,
            slower: { ...WARM.slower, hit_l1: [0.105, 0.101, 0.1, 0, 0, 0] },
        },
        active: WARM,
    },
    {
        name: "+200 ms on misses, which are 5 %",
        candidate: { ...WARM, slower: { ...WARM.slower, miss: SLOWER_MISSES } },
        active: WARM,
    },
];
