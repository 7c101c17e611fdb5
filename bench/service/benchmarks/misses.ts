import { MISSES_PER_CPU } from "@property-search/contract";

import { writeBodies } from "../generators/bodies.ts";
import { openLoop } from "../generators/openLoop.ts";
import type { Sample } from "../generators/sample.ts";
import type { Target } from "../peers/peer.ts";
import { localModel } from "../peers/service/localModel.ts";
import { waitUntilIdle } from "../processes/usage.ts";
import { createTexts, type Texts } from "../texts.ts";
import { floorResult } from "./floors.ts";
import type { BenchmarkContext, Benchmark } from "./benchmark.ts";

const USERS = 128;
const SECONDS = 8;
const WARM_UP_SECONDS = 3;
const FIRST_RATE = 40;
/** Bisection steps between the last sustained rate and the first that was not. */
const BISECTIONS = 3;
/** Threshold of the alert ResponseTimeHigh. */
const MAX_P95_MILLISECONDS = 500;
/** Minimum ratio of answers to arrivals; below it a queue grows. Random variation stays above it. */
const MIN_ANSWER_RATIO = 0.95;
const MAX_IDLE_WAIT_SECONDS = 20;
/** The autoscaler's target leaves headroom for requests that arrive while new pods start. */
const MAX_SHARE_OF_SUSTAINED = 0.75;
const ID = "misses";
const TITLE = "misses that one core sustains with the local model, open loop";

/**
 * The rate that the autoscaler's target is based on (docs/scaling.md): misses per second that a pod sustains
 * within its latency limit. Model and event loop share one core, as in a pod limited to its request.
 */
export const misses: Benchmark = {
    id: ID,
    title: TITLE,
    peers: [localModel],
    run: async (context) => {
        const { resources, cores } = context;
        const setting = { users: USERS, seconds: SECONDS, p95: MAX_P95_MILLISECONDS };
        const empty = { id: ID, title: TITLE, peers: [], versions: {}, setting };
        if (!context.isAvailable(localModel)) return { ...empty, facts: [], floors: [], notes: [] };
        const service = await localModel.start({ ...resources, core: cores.server });
        const texts = createTexts();
        try {
            await sendMisses(service, FIRST_RATE, WARM_UP_SECONDS, texts, context);
            const attempts = await findSustainedRate((rate) => {
                context.showProgress(`${TITLE}: ${rate} per second`);
                return sendMisses(service, rate, SECONDS, texts, context);
            });
            const sustained = Math.max(
                0,
                ...attempts.filter(isSustained).map(({ offeredRate }) => offeredRate),
            );
            const description = `the autoscaler's target, ${MISSES_PER_CPU} misses/s, ≤ ${MAX_SHARE_OF_SUSTAINED} × ${sustained}`;
            const most = {
                description,
                limit: MAX_SHARE_OF_SUSTAINED,
                direction: "max",
                unit: "×",
            } as const;
            return {
                ...empty,
                facts: attempts.toSorted((a, b) => a.offeredRate - b.offeredRate).map(fact),
                floors: [floorResult(most, MISSES_PER_CPU / sustained)],
                notes: [`texts: ${texts.describe()}`],
            };
        } finally {
            await service.stop();
        }
    },
};

interface Attempt {
    /** Misses per second. */
    readonly offeredRate: number;
    readonly sample: Sample;
}

function isSustained({ offeredRate, sample: { rate, failed, latency } }: Attempt): boolean {
    return (
        failed === 0 &&
        rate >= MIN_ANSWER_RATIO * offeredRate &&
        latency.p95 <= MAX_P95_MILLISECONDS
    );
}

/** Doubles the rate until it is not sustained, and then bisects. */
async function findSustainedRate(
    attempt: (rate: number) => Promise<Sample>,
): Promise<readonly Attempt[]> {
    const attempts: Attempt[] = [];
    const isSustainedAt = async (offeredRate: number): Promise<boolean> => {
        const tried = { offeredRate, sample: await attempt(offeredRate) };
        attempts.push(tried);
        return isSustained(tried);
    };
    let tooHigh = FIRST_RATE;
    while (await isSustainedAt(tooHigh)) tooHigh *= 2;
    let sustained = tooHigh / 2;
    for (let step = 0; step < BISECTIONS; step += 1) {
        const middle = (sustained + tooHigh) / 2;
        if (await isSustainedAt(middle)) sustained = middle;
        else tooHigh = middle;
    }
    return attempts;
}

async function sendMisses(
    { url, headers, pid }: Target,
    rate: number,
    seconds: number,
    texts: Texts,
    { resources, cores, signal }: BenchmarkContext,
): Promise<Sample> {
    // More than the expected number, since arrivals are random.
    const bodies = texts.next(USERS + Math.ceil(rate * seconds * 1.2));
    const json = bodies.map((input) => JSON.stringify({ model: localModel.model, input }));
    const bodiesFile = writeBodies(resources.processes.folder, ID, json);
    const load = { url, headers, bodiesFile, connections: USERS, seconds };
    const run = { ...load, core: cores.generator, server: pid };
    const sample = await openLoop(rate, "once")(run, signal);
    await waitUntilIdle(pid, MAX_IDLE_WAIT_SECONDS, signal);
    return sample;
}

function fact(attempt: Attempt): Record<string, string | number> {
    const { offeredRate, sample } = attempt;
    const { p50, p95, p99 } = sample.latency;
    return {
        "misses/s": String(offeredRate),
        answered: sample.rate,
        "p50 ms": p50,
        "p95 ms": p95,
        "p99 ms": p99,
        failed: sample.failed,
        "core %": sample.serverCore * 100,
        sustained: isSustained(attempt) ? "yes" : "no",
    };
}
