import type { ColourSample, Observation } from "../../judge/observation.ts";

const EDGES = [0.05, 0.1, 0.2, 0.5, 1, 2];

/** A thousand successful requests within 50 ms, from two healthy pods. */
export function sample(change: Partial<ColourSample> = {}): ColourSample {
    return {
        scrapeHealth: { pods: 2, answering: 2, ageSeconds: 7 },
        requests: { bad: 0, total: 1000 },
        gatewayRequests: { bad: 0, total: 1000 },
        answerTimes: { hit_l1: times(950), miss: times(50) },
        restarts: 0,
        pods: { ready: 2, desired: 2, missing: 0, lost: 0 },
        memory: { share: 0.4, growth: undefined },
        ...change,
    };
}

/** Answers of which `slower` took longer than `seconds`, and no longer than the next bound. */
export function times(answers: number, slow = 0, seconds = 0.05) {
    return {
        answers,
        slower: EDGES.map((edge) => ({ seconds: edge, answers: edge <= seconds ? slow : 0 })),
    };
}

export function observation(
    candidate: Partial<ColourSample> = {},
    active: Partial<ColourSample> = {},
    change: Partial<Observation> = {},
): Observation {
    return {
        from: 1000,
        to: 1060,
        colours: { green: sample(candidate), blue: sample(active) },
        route: { bad: 0, total: 2000 },
        gaps: [],
        ...change,
    };
}
