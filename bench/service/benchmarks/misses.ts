import { MISSES_PER_CPU } from "@property-search/contract";

import { openLoop } from "../generators/openLoop.ts";
import type { Sample } from "../generators/sample.ts";
import type { Target } from "../peers/peer.ts";
import { localModel } from "../peers/service/localModel.ts";
import { waitUntilIdle } from "../processes/usage.ts";
import { createTexts, type Texts } from "../texts.ts";
import { atMost } from "./floors.ts";
import { loadOn, withService, type Benchmark, type BenchmarkContext } from "./benchmark.ts";

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
        const setting = { users: USERS, seconds: SECONDS, p95: MAX_P95_MILLISECONDS };
        if (!context.isAvailable(localModel)) return { setting };
        return withService(localModel, context, async (service) => {
            const texts = createTexts();
            await sendMisses(service, FIRST_RATE, WARM_UP_SECONDS, texts, context);
            const attempts = await findSustainedRate((rate) => {
                context.showProgress(`${TITLE}: ${rate} per second`);
                return sendMisses(service, rate, SECONDS, texts, context);
            });
            const rates = attempts.filter(isSustained).map(({ offeredRate }) => offeredRate);
            const sustained = Math.max(0, ...rates);
            const limit = MAX_SHARE_OF_SUSTAINED;
            const description = `target of the autoscaler, ${MISSES_PER_CPU} misses/s, ≤ ${limit} × ${sustained}`;
            return {
                setting,
                facts: attempts.toSorted((a, b) => a.offeredRate - b.offeredRate).map(fact),
                floors: [atMost(description, limit, "×", MISSES_PER_CPU / sustained)],
                notes: [`texts: ${texts.describe()}`],
            };
        });
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
    service: Target,
    rate: number,
    seconds: number,
    texts: Texts,
    context: BenchmarkContext,
): Promise<Sample> {
    // More than the expected number, since arrivals are random.
    const bodies = texts
        .next(USERS + Math.ceil(rate * seconds * 1.2))
        .map((input) => JSON.stringify({ model: localModel.model, input }));
    const load = loadOn(service, context, ID, bodies, { connections: USERS, seconds });
    const sample = await openLoop(rate, "once")(load, context.signal);
    await waitUntilIdle(service.pid, MAX_IDLE_WAIT_SECONDS, context.signal);
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
