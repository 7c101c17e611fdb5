import { pick } from "../../semantic/random.ts";
import { seededRandom, type Random } from "../../shared/random.ts";
import { createZipf } from "../../shared/zipf.ts";
import {
    chatRequest,
    embedRequest,
    poisRequest,
    type Request,
} from "../../load/traffic/requests.ts";
import { createCorpus, describeListing } from "../../load/traffic/texts.ts";
import type { TraceEntry } from "../../load/traffic/trace.ts";

/** What the days of a property search are made of; docs/acceptance.md gives the reasons. */
export interface DayOptions {
    readonly seed: number;
    /** Visits per day. */
    readonly sessions: number;
    /** Listings that are on the market. */
    readonly listings: number;
    /** Listings that are published or reworded in a day. */
    readonly changed: number;
    /** Questions to the chat that more than one user asks. */
    readonly questions: number;
    /** Share (0–1) of questions that nobody asks twice, such as those with a name or a number. */
    readonly uniqueQuestions: number;
    /** Share (0–1) of such queries for points of interest. */
    readonly uniqueQueries: number;
    /** Exponent of Zipf's law for all texts. */
    readonly zipf: number;
}

export const DAY: DayOptions = {
    seed: 12,
    sessions: 6_000,
    listings: 1000,
    changed: 60,
    questions: 2000,
    uniqueQuestions: 0.1,
    uniqueQueries: 0.03,
    zipf: 0.9,
};

/** Relative number of visits in each hour: few at night, most in the evening. */
const HOURS = [
    4, 2, 1, 1, 1, 2, 5, 9, 12, 13, 13, 13, 15, 14, 13, 13, 14, 16, 19, 22, 23, 20, 14, 8,
];
const HOUR = 3_600_000;
/** Mean pause of a user. */
const PAUSE = 20_000;

/**
 * The requests of the embedding calls of one day, by time of day: listings that are published, and visits in which users
 * view listings (each view embeds the description), look for points of interest, and ask the chat.
 *
 * @param day number of the day, from 0. Each day has the listings of the day before, less those that changed
 * @param properties ids of the property API for POI calls
 * @returns entries with `at` in milliseconds of the day; a user is one visit
 */
export function createDay(
    { seed, ...options }: DayOptions,
    day: number,
    properties: readonly string[],
): TraceEntry[] {
    // One sequence for what both days share, and one for each day's own visits.
    const corpus = createCorpus(seed, { ...options, queries: 84 });
    const random = seededRandom(seed * 1000 + day + 1);
    const versions = versionsOf(seed, options, corpus.listings, day);
    const entries: TraceEntry[] = [];
    let publisher = options.sessions;
    for (const { rank, text, at } of versions.changes) {
        versions.current[rank] = text;
        entries.push({ at, user: publisher, ...embedRequest(text) });
        publisher += 1;
    }
    const changesByRank = new Map(versions.changes.map((change) => [change.rank, change]));
    const listing = createZipf(options.listings, random, options.zipf);
    const query = createZipf(corpus.queries.length, random, options.zipf);
    const question = createZipf(corpus.questions.length, random, options.zipf);
    let unique = 0;
    const vary = (text: string, share: number): string =>
        random() < share ? `${text} ${day}-${(unique += 1)}` : text;

    for (let session = 0; session < options.sessions; session += 1) {
        let at = drawTime(random);
        const send = (request: Request): void => {
            entries.push({ at: Math.round(at), user: session, ...request });
            at = Math.min(24 * HOUR - 1, at - Math.log(1 - random()) * PAUSE);
        };
        for (let viewed = 0; viewed === 0 || (viewed < 8 && random() < 0.55); viewed += 1) {
            const rank = listing();
            const change = changesByRank.get(rank);
            const text = change && at < change.at ? change.before : versions.current[rank];
            send(embedRequest(text ?? ""));
            if (random() < 0.6) {
                const text = vary(corpus.queries[query()] ?? "", options.uniqueQueries);
                send(poisRequest(pick(random, properties), text));
            }
        }
        for (let asked = 0; asked < 2 && random() < 0.35; asked += 1) {
            const text = vary(corpus.questions[question()] ?? "", options.uniqueQuestions);
            send(chatRequest(`day${day}-${session}`, text));
        }
    }
    return entries.sort((one, other) => (one.at ?? 0) - (other.at ?? 0));
}

interface Change {
    readonly rank: number;
    readonly before: string;
    readonly text: string;
    readonly at: number;
}

/** The descriptions at the start of a day, and how they change in it: published during office hours. */
function versionsOf(
    seed: number,
    { listings, changed }: Pick<DayOptions, "listings" | "changed">,
    initial: readonly string[],
    day: number,
): { readonly current: string[]; readonly changes: readonly Change[] } {
    const random = seededRandom(seed * 1000 + 500);
    const current = [...initial];
    let changes: Change[] = [];
    for (let one = 0; one <= day; one += 1) {
        for (const { rank, text } of changes) current[rank] = text;
        changes = [];
        const ranks = new Set<number>();
        while (ranks.size < Math.min(changed, listings)) ranks.add(Math.floor(random() * listings));
        for (const rank of ranks) {
            const number = listings + one * changed + changes.length;
            const text = describeListing(random, number);
            const at = (8 + random() * 10) * HOUR;
            changes.push({ rank, before: current[rank] ?? "", text, at: Math.round(at) });
        }
    }
    return { current, changes };
}

const ALL_HOURS = HOURS.reduce((sum, one) => sum + one, 0);

function drawTime(random: Random): number {
    let rest = random() * ALL_HOURS;
    const hour = HOURS.findIndex((weight) => (rest -= weight) < 0);
    return (Math.max(0, hour) + random()) * HOUR;
}

/** A day in fewer seconds, for at most so many users at a time. */
export function* compress(
    entries: readonly TraceEntry[],
    seconds: number,
    users: number,
): Generator<TraceEntry> {
    const factor = (seconds * 1000) / (24 * HOUR);
    for (const entry of entries)
        yield { ...entry, at: (entry.at ?? 0) * factor, user: entry.user % users };
}
