import { pick } from "../random.ts";
import { seededRandom, type Random } from "../../shared/random.ts";
import {
    AREAS,
    BEDROOMS,
    FEATURES,
    HOME_PATTERNS,
    HOMES,
    PLACE_PATTERNS,
    PLACES,
    TENURES,
} from "./london.ts";

/** A text with the group of texts that somebody judged to mean the same. */
export interface LabelledText {
    readonly text: string;
    readonly intent: string;
}

type Slots = Readonly<Record<string, readonly string[]>>;

const HOME_INTENTS = 260;
const PLACE_INTENTS = 220;
const WORDINGS = 7;
const MAX_TRIES = 200;
/** Share of queries with a typing error, as in logs of web search (Cucerzan and Brill, EMNLP 2004: 10–15 %). */
const TYPO_SHARE = 0.15;
const LOWER_CASE_SHARE = 0.7;

/**
 * Queries to a property search in London as people type them: abbreviations, word orders, typing errors. Every
 * intent has seven different wordings.
 */
export function createPropertyQueries(seed: number): readonly LabelledText[] {
    const random = seededRandom(seed);
    const intents = [
        ...createIntents(random, HOME_INTENTS, HOME_PATTERNS, {
            B: BEDROOMS,
            H: HOMES,
            T: TENURES,
            F: FEATURES,
            A: AREAS,
        }),
        ...createIntents(random, PLACE_INTENTS, PLACE_PATTERNS, { P: PLACES, A: AREAS }),
    ];
    return intents.flatMap(({ intent, patterns, slots }) =>
        createWordings(random, patterns, slots).map((text) => ({ text, intent })),
    );
}

interface Intent {
    readonly intent: string;
    readonly patterns: readonly string[];
    readonly slots: Slots;
}

/** Chooses different combinations of meanings. */
function createIntents(
    random: Random,
    count: number,
    patterns: readonly string[],
    meanings: Readonly<Record<string, readonly (readonly string[])[]>>,
): readonly Intent[] {
    const intents = new Map<string, Intent>();
    while (intents.size < count) {
        const slots = Object.fromEntries(
            Object.entries(meanings).map(([slot, choices]) => [slot, pick(random, choices)]),
        );
        const intent = Object.values(slots)
            .map(([name]) => name)
            .filter((name) => name !== "")
            .join(", ");
        intents.set(intent, { intent, patterns, slots });
    }
    return [...intents.values()];
}

function createWordings(
    random: Random,
    patterns: readonly string[],
    slots: Slots,
): readonly string[] {
    const wordings = new Set<string>();
    for (let tries = 0; wordings.size < WORDINGS && tries < MAX_TRIES; tries += 1)
        wordings.add(createWording(random, pick(random, patterns), slots));
    return [...wordings];
}

function createWording(random: Random, pattern: string, slots: Slots): string {
    const filled = pattern.replace(/\b[A-Z]\b/g, (slot) => pick(random, slots[slot] ?? [slot]));
    const tidy = filled
        .replace(/\s+/g, " ")
        .replace(/ ([,?])/g, "$1")
        .replace(/[, ]+$/, "");
    const cased = random() < LOWER_CASE_SHARE ? tidy.toLowerCase() : tidy;
    return random() < TYPO_SHARE ? mistype(random, cased) : cased;
}

const TYPO_WORD = /[a-z]{5,}/gi;

/** Swaps, drops or doubles one inner letter of a longer word. */
function mistype(random: Random, text: string): string {
    const words = [...text.matchAll(TYPO_WORD)];
    if (words.length === 0) return text;
    const word = pick(random, words);
    const at = word.index + 1 + Math.floor(random() * (word[0].length - 3));
    const [before, letter, next, after] = [
        text.slice(0, at),
        text.charAt(at),
        text.charAt(at + 1),
        text.slice(at + 2),
    ];
    const typo = pick(random, [next + letter, next, letter + letter + next]);
    return before + typo + after;
}
