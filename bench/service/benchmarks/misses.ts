import { MISSES_PER_CPU } from "@property-search/contract";

import { writeBodies } from "../generators/bodies.ts";
import { openLoop } from "../generators/openLoop.ts";
import type { Sample } from "../generators/sample.ts";
import type { Contestant } from "../peers/peer.ts";
import { localModel } from "../peers/service/localModel.ts";
import { untilIdle } from "../processes/usage.ts";
import { freshTexts, type Texts } from "../texts.ts";
import { floorResult } from "./floors.ts";
import type { Bench, Trial } from "./trial.ts";

const USERS = 128;
const SECONDS = 8;
const WARM_UP_SECONDS = 3;
const FIRST_RATE = 40;
/** Halvings of the gap between the last rate that held and the first that did not: to an eighth of it. */
const HALVINGS = 3;
/** S6's alert: slower, and the answers of a pod are late. */
const SLOWEST_P95 = 500;
/** Answers over arrivals: below it a queue grows. What chance alone does to the arrivals lies above. */
const KEPT_UP = 0.95;
const LONGEST_REST_SECONDS = 20;
/** The autoscaler's target leaves room for what arrives while new pods start. */
const MOST_OF_SUSTAINED = 0.75;
const ID = "misses";
const TITLE = "misses that one core sustains with the local model, open loop";

/**
 * What a pod is scaled by (docs/scaling.md): how many misses a second it can take before its answers are
 * late. Model and event loop share one core, as in a pod that gets what it requests and no more.
 */
export const misses: Trial = {
    id: ID,
    title: TITLE,
    peers: [localModel],
    run: async (bench) => {
        const { ground, cores } = bench;
        const setting = { users: USERS, seconds: SECONDS, p95: SLOWEST_P95 };
        const empty = { id: ID, title: TITLE, standings: [], versions: {}, setting };
        if (!bench.has(localModel)) return { ...empty, facts: [], floors: [], notes: [] };
        const service = await localModel.start({ ...ground, core: cores.server });
        const texts = freshTexts();
        try {
            await arriving(service, FIRST_RATE, WARM_UP_SECONDS, texts, bench);
            const tried = await climb((rate) => {
                bench.say(`${TITLE}: ${rate} a second`);
                return arriving(service, rate, SECONDS, texts, bench);
            });
            const sustained = Math.max(0, ...tried.filter(held).map(({ offered }) => offered));
            const what = `the autoscaler's target, ${MISSES_PER_CPU} misses/s, ≤ ${MOST_OF_SUSTAINED} × ${sustained}`;
            const most = { what, limit: MOST_OF_SUSTAINED, direction: "most", unit: "×" } as const;
            return {
                ...empty,
                facts: tried.toSorted((a, b) => a.offered - b.offered).map(fact),
                floors: [floorResult(most, MISSES_PER_CPU / sustained)],
                notes: [`texts: ${texts.taken()}`],
            };
        } finally {
            await service.stop();
        }
    },
};

interface Tried {
    /** Misses a second that arrived. */
    readonly offered: number;
    readonly sample: Sample;
}

function held({ offered, sample: { rate, failed, latency } }: Tried): boolean {
    return failed === 0 && rate >= KEPT_UP * offered && latency.p95 <= SLOWEST_P95;
}

/** Twice as many each time until it is too much, then between the two. */
async function climb(attempt: (rate: number) => Promise<Sample>): Promise<readonly Tried[]> {
    const tried: Tried[] = [];
    const holds = async (offered: number): Promise<boolean> => {
        const one = { offered, sample: await attempt(offered) };
        tried.push(one);
        return held(one);
    };
    let tooMuch = FIRST_RATE;
    while (await holds(tooMuch)) tooMuch *= 2;
    let enough = tooMuch / 2;
    for (let halving = 0; halving < HALVINGS; halving += 1) {
        const middle = (enough + tooMuch) / 2;
        if (await holds(middle)) enough = middle;
        else tooMuch = middle;
    }
    return tried;
}

async function arriving(
    { url, headers, pid }: Contestant,
    rate: number,
    seconds: number,
    texts: Texts,
    { ground, cores, signal }: Bench,
): Promise<Sample> {
    // More than are due: how many really come is left to chance.
    const bodies = texts.take(USERS + Math.ceil(rate * seconds * 1.2));
    const json = bodies.map((input) => JSON.stringify({ model: localModel.model, input }));
    const bodiesFile = writeBodies(ground.processes.folder, ID, json);
    const load = { url, headers, bodiesFile, connections: USERS, seconds };
    const run = { ...load, core: cores.generator, server: pid };
    const sample = await openLoop(rate, "once")(run, signal);
    await untilIdle(pid, LONGEST_REST_SECONDS, signal);
    return sample;
}

function fact(tried: Tried): Record<string, string | number> {
    const { offered, sample } = tried;
    const { p50, p95, p99 } = sample.latency;
    return {
        "misses/s": String(offered),
        answered: sample.rate,
        "p50 ms": p50,
        "p95 ms": p95,
        "p99 ms": p99,
        failed: sample.failed,
        "core %": sample.serverCore * 100,
        sustained: held(tried) ? "yes" : "no",
    };
}
