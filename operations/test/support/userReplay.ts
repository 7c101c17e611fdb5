import { armOf, BLOCKS, blockOf, unitOfUser } from "@property-search/contract";
import { seededRandom, type Random } from "../../../bench/shared/random.ts";
import { createZipf } from "../../../bench/shared/zipf.ts";
import { analyze, type Analysis } from "../../experiments/analysis.ts";
import { UNKNOWN } from "./experimentReplay.ts";

const TOKENS = 12;
const TTL_DAYS = 3;
/** Share of a user's requests that are for a text of its own. */
const OWN_SHARE = 0.3;
const OWN_TEXTS = 20;
const VERDICT_SHARE = 0.05;

export interface UserReplay {
    readonly runs: number;
    readonly days: number;
    readonly users: number;
    readonly texts: number;
    readonly requestsPerDay: number;
    readonly percent: number;
    /** Added to the treatment's probability that a user finds a result relevant. Default: 0. */
    readonly relevanceChange?: number;
    /** Share of the texts that the treatment answers without paying and without an entry. Default: 0. */
    readonly answeredShare?: number;
}

/** An analysis of all days so far. */
export interface Day extends Analysis {
    /** Tokens that both arms have bought. */
    readonly bought: number;
}

/**
 * Replays streams of users whose activity follows Zipf's law, as their texts do, through a cache that both arms share.
 * Users differ in their texts and in how often they find a result relevant.
 *
 * @returns the days of each run
 */
export function replayUsers(options: UserReplay): readonly (readonly Day[])[] {
    const random = seededRandom(11);
    const draws = {
        user: createZipf(options.users, random),
        text: createZipf(options.texts, random),
    };
    return Array.from({ length: options.runs }, (_, run) =>
        replayRun(`run ${run}`, random, draws, options),
    );
}

function replayRun(
    salt: string,
    random: Random,
    draws: Readonly<Record<"user" | "text", () => number>>,
    options: UserReplay,
): readonly Day[] {
    const { days, users, texts, requestsPerDay, percent } = options;
    const { relevanceChange = 0, answeredShare = 0 } = options;
    const blocks = Array.from({ length: BLOCKS }, (_, block) => ({
        arm: armOf({ percent }, block),
        ...{ hits: 0, misses: 0, tokens: 0, relevant: 0, irrelevant: 0 },
    }));
    const blockOfUser = Array.from({ length: users }, (_, user) =>
        blockOf(salt, unitOfUser("acme", `user ${user}`)),
    );
    const rates = Float64Array.from({ length: users }, () => 0.6 + 0.35 * random());
    const fetched = new Float64Array(texts + users * OWN_TEXTS).fill(-Infinity);
    return Array.from({ length: days }, (_, day) => {
        for (let request = 0; request < requestsPerDay; request += 1) {
            const user = draws.user();
            const counts = blocks[blockOfUser[user] ?? 0];
            if (!counts) continue;
            const text =
                random() < OWN_SHARE
                    ? texts + user * OWN_TEXTS + Math.floor(random() * OWN_TEXTS)
                    : draws.text();
            const isTreated = counts.arm === "treatment";
            const now = day + request / requestsPerDay;
            const isCached = now - (fetched[text] ?? 0) < TTL_DAYS;
            // The same texts can be answered at each request.
            const isAnswered = isTreated && (text * 0.618) % 1 < answeredShare;
            if (isCached || isAnswered) counts.hits += 1;
            else {
                fetched[text] = now;
                counts.misses += 1;
                counts.tokens += TOKENS;
            }
            if (random() >= VERDICT_SHARE) continue;
            const rate = (rates[user] ?? 0) + (isTreated ? relevanceChange : 0);
            if (random() < rate) counts.relevant += 1;
            else counts.irrelevant += 1;
        }
        return {
            ...analyze({ unit: "user", blocks, p99: UNKNOWN, semantic: undefined }),
            bought: blocks.reduce((all, { tokens }) => all + tokens, 0),
        };
    });
}
