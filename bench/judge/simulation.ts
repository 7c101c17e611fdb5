import type { CacheResult } from "@property-search/contract";
import { judge, type Verdict } from "../../operations/judge/judge.ts";
import type { Limits } from "../../operations/judge/limits.ts";
import type { ColourSample, Observation, Times } from "../../operations/judge/observation.ts";

/** How a colour's answers turn out, by chance. */
export interface Behaviour {
    /** Of its requests, 0–1. */
    readonly errors: number;
    /** Where its answers come from; together 1. */
    readonly results: Readonly<Partial<Record<CacheResult, number>>>;
    /** Of a result's answers, those slower than each of the limits' edges, by edge. */
    readonly slower: Readonly<Partial<Record<CacheResult, readonly number[]>>>;
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export type Random = () => number;

export interface Play {
    readonly candidate: Behaviour;
    readonly active: Behaviour;
    readonly limits: Limits;
    readonly random: Random;
}

export interface Outcome {
    readonly verdict: Verdict;
    /** Of the candidate, when it came. */
    readonly requests: number;
}

const ROLES = { candidate: "green", active: "blue" } as const;

/** The candidate's share of the traffic in a switch's windows: steps and bake, of which two have no active. */
const WEIGHTS = [0.1, 0.5, 1, 1];

export function randomFrom(seed: number): Random {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

/**
 * One window at a weight, looked at after each `step` requests of the candidate, up to `most`.
 *
 * @returns the first verdict that is asked for; else the last
 */
export function playWindow(
    { candidate, active, limits, random }: Play,
    {
        weight,
        step,
        most,
    }: { readonly weight: number; readonly step: number; readonly most: number },
    until: readonly Verdict[],
): Outcome {
    const own = counter(candidate, limits, random);
    const other = counter(active, limits, random);
    let verdict: Verdict = "no data";
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

/** @returns whether a look in any window of a whole switch failed the candidate */
export function failsInSwitch(
    play: Play,
    window: { readonly step: number; readonly most: number },
): boolean {
    return WEIGHTS.some(
        (weight) => playWindow(play, { weight, ...window }, ["fail"]).verdict === "fail",
    );
}

/** Counts on, as a colour's pods do. */
function counter({ errors, results, slower }: Behaviour, { latency }: Limits, random: Random) {
    const requests = { bad: 0, of: 0 };
    const kinds = Object.entries(results) as [CacheResult, number][];
    const counts = new Map(
        kinds.map(([result]) => [result, new Array<number>(latency.edges.length + 1).fill(0)]),
    );
    const add = (more: number) => {
        requests.of += more;
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
            (slower[result] ?? []).forEach((chance, at) => {
                above = before > 0 ? binomial(above, chance / before, random) : 0;
                before = chance;
                cells[at + 1] = (cells[at + 1] ?? 0) + above;
            });
        }
    };
    const timesOf = ([answers = 0, ...above]: readonly number[]): Times => ({
        answers,
        slower: latency.edges.map((seconds, at) => ({ seconds, answers: above[at] ?? 0 })),
    });
    const sample = (): ColourSample => ({
        scraped: { pods: 2, answering: 2, secondsAgo: 0 },
        requests: { ...requests },
        atGateway: undefined,
        times: Object.fromEntries([...counts].map(([result, cells]) => [result, timesOf(cells)])),
        restarts: 0,
        pods: { ready: 2, wanted: 2, missing: 0, lost: 0 },
        memory: { share: 0.5, growth: undefined },
    });
    return { add, sample };
}

/** How many of `of` happen at this chance: from one to the next in one draw. */
function binomial(of: number, chance: number, random: Random): number {
    if (chance <= 0) return 0;
    if (chance >= 1) return of;
    if (chance > 0.5) return of - binomial(of, 1 - chance, random);
    let happened = 0;
    const scale = Math.log1p(-chance);
    for (let at = skip(scale, random); at < of; at += 1 + skip(scale, random)) happened += 1;
    return happened;
}

function skip(scale: number, random: Random): number {
    return Math.floor(Math.log(1 - random()) / scale);
}
