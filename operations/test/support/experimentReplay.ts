import { armOf, BLOCKS, blockOf, type Arm } from "@property-search/contract";
import { seededRandom } from "../../../bench/shared/random.ts";
import { analyze, type Analysis, type Decision } from "../../experiments/analysis.ts";

const PERCENT = 20;
const TOKENS = 12;
export const UNKNOWN = { control: undefined, treatment: undefined };

export interface Replay {
    readonly runs: number;
    readonly days: number;
    readonly texts: number;
    readonly requestsPerDay: number;
    readonly ttlDays: Readonly<Record<Arm, number>>;
    /** Whether a lookup is counted, by its arm and a number in [0, 1). Default: each is. */
    readonly isCounted?: (arm: Arm, random: number) => boolean;
}

/**
 * Replays streams with Zipf's distribution (exponent 1) through a cache, analyses them after each day, with another
 * assignment in each run.
 *
 * @returns shares of the runs in which a decision was made on any day
 */
export function replay(options: Replay): Readonly<Partial<Record<Decision, number>>> {
    const random = seededRandom(7);
    const shares: Partial<Record<Decision, number>> = {};
    for (let run = 0; run < options.runs; run += 1) {
        const decisions = new Set(
            analyses(random, `run ${run}`, options).map((one) => one.decision),
        );
        for (const one of decisions) shares[one] = (shares[one] ?? 0) + 1 / options.runs;
    }
    return shares;
}

/** Of the texts, by run: all replays have the same assignments. */
const knownBlocks = new Map<string, readonly number[]>();

function blocksOfTexts(salt: string, texts: number): readonly number[] {
    const key = `${salt} ${texts}`;
    const blocks =
        knownBlocks.get(key) ??
        Array.from({ length: texts }, (_, text) => blockOf(salt, `text ${text}`));
    knownBlocks.set(key, blocks);
    return blocks;
}

function analyses(random: () => number, salt: string, options: Replay): Analysis[] {
    const { days, texts, requestsPerDay, ttlDays, isCounted = () => true } = options;
    const blocks = Array.from({ length: BLOCKS }, (_, block) => ({
        arm: armOf({ percent: PERCENT }, block),
        ...{ hits: 0, misses: 0, tokens: 0, relevant: 0, irrelevant: 0 },
    }));
    const blockOfText = blocksOfTexts(salt, texts);
    const fetched = new Float64Array(texts).fill(-Infinity);
    return Array.from({ length: days }, (_, day) => {
        for (let request = 0; request < requestsPerDay; request += 1) {
            const text = Math.min(texts - 1, Math.floor(texts ** random()) - 1);
            const counts = blocks[blockOfText[text] ?? 0];
            if (!counts) continue;
            const now = day + request / requestsPerDay;
            const isHit = now - (fetched[text] ?? 0) < ttlDays[counts.arm];
            if (!isHit) fetched[text] = now;
            if (!isCounted(counts.arm, random())) continue;
            if (isHit) counts.hits += 1;
            else {
                counts.misses += 1;
                counts.tokens += TOKENS;
            }
        }
        return analyze({ unit: "text", blocks, p99: UNKNOWN, semantic: undefined });
    });
}
