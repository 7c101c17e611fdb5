import type { CacheResult } from "@property-search/contract";
import { judge, type Verdict } from "../../operations/judge/judge.ts";
import type { Limits } from "../../operations/judge/limits.ts";
import type { Random } from "../shared/random.ts";
import type { ColourSample, Observation, AnswerTimes } from "../../operations/judge/observation.ts";

/** Probabilities of a colour's answers. */
export interface Behaviour {
    /** Error ratio of its requests, 0–1. */
    readonly errors: number;
    /** Shares of its answers by result; their sum is 1. */
    readonly results: Readonly<Partial<Record<CacheResult, number>>>;
    /** Shares of a result's answers that are slower than each bound of the limits. */
    readonly slower: Readonly<Partial<Record<CacheResult, readonly number[]>>>;
}

export interface Simulation {
    readonly candidate: Behaviour;
    readonly active: Behaviour;
    readonly limits: Limits;
    readonly random: Random;
}

export interface Outcome {
    readonly verdict: Verdict;
    /** The candidate's requests at the verdict. */
    readonly requests: number;
}

const ROLES = { candidate: "green", active: "blue" } as const;

/** The candidate's share of the traffic in the windows of a switch: steps and bake. */
const WEIGHTS = [0.1, 0.5, 1, 1];

/**
 * One window at a weight, judged after every `step` requests of the candidate, up to `most`.
 *
 * @returns the first verdict in `until`, otherwise the last one
 */
export function simulateWindow(
    { candidate, active, limits, random }: Simulation,
    {
        weight,
        step,
        most,
    }: { readonly weight: number; readonly step: number; readonly most: number },
    until: readonly Verdict[],
): Outcome {
    const own = counter(candidate, limits, random);
    const other = counter(active, limits, random);
    let verdict: Verdict = "inconclusive";
    for (let requests = step; requests <= most; requests += step) {
        own.add(step);
        other.add(Math.round((step * (1 - weight)) / weight));
        const colours = { green: own.sample(), blue: other.sample() };
        const observation: Observation = { from: 0, to: 0, colours, route: undefined, gaps: [] };
        ({ verdict } = judge(observation, ROLES, limits));
        if (until.includes(verdict)) return { verdict, requests };
    }
    return { verdict, requests: most };
}

/** @returns whether the candidate fails in any window of a switch */
export function failsInSwitch(
    simulation: Simulation,
    window: { readonly step: number; readonly most: number },
): boolean {
    return WEIGHTS.some(
        (weight) => simulateWindow(simulation, { weight, ...window }, ["fail"]).verdict === "fail",
    );
}

/** Cumulative counters, like those of a colour's pods. */
function counter({ errors, results, slower }: Behaviour, { latency }: Limits, random: Random) {
    const requests = { bad: 0, total: 0 };
    const kinds = Object.entries(results) as [CacheResult, number][];
    const counts = new Map(
        kinds.map(([result]) => [
            result,
            new Array<number>(latency.upperBounds.length + 1).fill(0),
        ]),
    );
    const add = (more: number) => {
        requests.total += more;
        const bad = binomial(more, errors, random);
        requests.bad += bad;
        let left = more - bad;
        let share = 1;
        for (const [result, part] of kinds) {
            const answers = binomial(left, part / share, random);
            left -= answers;
            share -= part;
            let above = answers;
            let before = 1;
            const cells = counts.get(result) ?? [];
            cells[0] = (cells[0] ?? 0) + answers;
            (slower[result] ?? []).forEach((probability, at) => {
                above = before > 0 ? binomial(above, probability / before, random) : 0;
                before = probability;
                cells[at + 1] = (cells[at + 1] ?? 0) + above;
            });
        }
    };
    const timesOf = ([answers = 0, ...above]: readonly number[]): AnswerTimes => ({
        answers,
        slower: latency.upperBounds.map((seconds, at) => ({ seconds, answers: above[at] ?? 0 })),
    });
    const sample = (): ColourSample => ({
        scrapeHealth: { pods: 2, answering: 2, ageSeconds: 0 },
        requests: { ...requests },
        gatewayRequests: undefined,
        answerTimes: Object.fromEntries(
            [...counts].map(([result, cells]) => [result, timesOf(cells)]),
        ),
        restarts: 0,
        pods: { ready: 2, desired: 2, missing: 0, lost: 0 },
        memory: { share: 0.5, growth: undefined },
    });
    return { add, sample };
}

/** A binomially distributed number: `of` trials with this probability. One draw for each success. */
function binomial(of: number, probability: number, random: Random): number {
    if (probability <= 0) return 0;
    if (probability >= 1) return of;
    if (probability > 0.5) return of - binomial(of, 1 - probability, random);
    let successes = 0;
    const scale = Math.log1p(-probability);
    for (let at = skip(scale, random); at < of; at += 1 + skip(scale, random)) successes += 1;
    return successes;
}

function skip(scale: number, random: Random): number {
    return Math.floor(Math.log(1 - random()) / scale);
}
