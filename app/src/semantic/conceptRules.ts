import { type Static, Type } from "typebox";

/** Terms that mean the same or the opposite in a domain. Versioned, and replaced as a whole. */
export const CONCEPT_RULES = Type.Object(
    {
        version: Type.Integer({ minimum: 1 }),
        /** Each list starts with the term by which all others are replaced. */
        synonyms: Type.Array(
            Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 2 }),
        ),
        /** Two texts that contain different terms of a list contradict each other. */
        opposites: Type.Array(
            Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 2 }),
        ),
        /** Two texts must name the same ones. */
        places: Type.Array(Type.String({ minLength: 1, maxLength: 64 })),
    },
    { additionalProperties: false },
);

export type ConceptRules = Static<typeof CONCEPT_RULES>;

/** Rules in a form that is applied to texts. */
export interface CompiledRules {
    readonly version: number;
    /** @returns the text in lower case with the first term of each list of synonyms */
    readonly rewrite: (text: string) => string;
    /** @returns for each list of opposites whose terms a text contains, the index of the list and the term */
    readonly oppositesIn: (words: string) => ReadonlyMap<number, string>;
    /** @returns the text in lower case without single typing errors in the names of places */
    readonly correct: (text: string) => string;
    readonly placesIn: (words: string) => ReadonlySet<string>;
    /** @returns whether a word in lower case is part of a synonym or a place of one word, so that these rules compare it */
    readonly covers: (word: string) => boolean;
}

/** A shorter name of one word is a letter away from other words too often: Acton, action. */
const MIN_CORRECTED = 7;
/** In a name of several words, the other words confirm it. */
const MIN_CORRECTED_PART = 5;
const LETTERS = /[\p{L}'’]+/gu;
/** Longer names are not corrected: each takes as many entries of the table of misspellings as it has letters. */
const MAX_CORRECTED = 24;

export function compileRules({
    version,
    synonyms,
    opposites,
    places,
}: ConceptRules): CompiledRules {
    // The first term, too, is matched as a whole, so that no part of it is replaced.
    const replacements = new Map(
        synonyms.flatMap((terms) =>
            terms.map((term) => [term.toLowerCase(), (terms[0] ?? term).toLowerCase()] as const),
        ),
    );
    const listOf = new Map(
        opposites.flatMap((terms, list) =>
            terms.map((term) => [term.toLowerCase(), list] as const),
        ),
    );
    const synonym = createTerms(replacements.keys());
    const opposite = createTerms(listOf.keys());
    const place = createTerms(places.map((name) => name.toLowerCase()));
    const placeWords = wordsOf(places);
    const synonymWords = wordsOf([...replacements.keys()]);
    const spelled = new Set([...placeWords, ...synonymWords]);
    // "White" of "white city" may be a person's name.
    const covered = new Set([
        ...wordsOf(places.filter((name) => !/\s/u.test(name))),
        ...synonymWords,
    ]);
    const correctable = wordsOf(
        places.flatMap((name) => {
            const least = /\s/u.test(name) ? MIN_CORRECTED_PART : MIN_CORRECTED;
            return name
                .split(/\s+/u)
                .filter(({ length }) => length >= least && length < MAX_CORRECTED);
        }),
    );
    const misspelled = new Map<string, Set<string>>();
    for (const name of correctable)
        for (const spelling of shortened(name)) {
            const names = misspelled.get(spelling) ?? new Set();
            misspelled.set(spelling, names.add(name));
        }
    const correctWord = (word: string): string => {
        const { length } = word;
        if (length < MIN_CORRECTED_PART - 1 || length > MAX_CORRECTED || spelled.has(word))
            return word;
        const candidates = new Set(
            shortened(word).flatMap((spelling) => [...(misspelled.get(spelling) ?? [])]),
        );
        const [only, another] = [...candidates].filter((name) => isOneTypoAway(word, name));
        return only !== undefined && another === undefined ? only : word;
    };
    return {
        version,
        rewrite: (text) => {
            const lower = text.toLowerCase().replaceAll("’", "'");
            return synonym.replaceAll(lower, (term) => replacements.get(term) ?? term);
        },
        oppositesIn: (words) =>
            new Map(opposite.findAll(words).map((term) => [listOf.get(term) ?? -1, term] as const)),
        correct: (text) => text.toLowerCase().replace(LETTERS, correctWord),
        placesIn: (words) => new Set(place.findAll(words)),
        covers: (word) => covered.has(correctWord(word)),
    };
}

/** Finds whole terms, the longest first. The work depends on the text and the lengths of terms, not on their number. */
interface Terms {
    readonly findAll: (text: string) => readonly string[];
    readonly replaceAll: (text: string, toOther: (term: string) => string) => string;
}

/** Where a term may start: at a word, or at another character that is not within one. */
const START = /[\p{L}\p{N}]+|[^\p{L}\p{N}]/gu;
const IN_WORD = /^[\p{L}\p{N}]/u;

function createTerms(terms: Iterable<string>): Terms {
    /** Of the terms that start with a word or another character, the longest first. */
    const lengths = new Map<string, number[]>();
    const known = new Set(terms);
    for (const term of known) {
        const head = term.match(START)?.[0] ?? "";
        const own = lengths.get(head) ?? [];
        if (!own.includes(term.length)) own.push(term.length);
        lengths.set(head, own);
    }
    for (const own of lengths.values()) own.sort((a, b) => b - a);

    function find(text: string): readonly { readonly term: string; readonly index: number }[] {
        const found: { readonly term: string; readonly index: number }[] = [];
        let [end, isInWord] = [0, false];
        for (const { 0: head, index } of text.matchAll(START)) {
            const isWithin = isInWord && !IN_WORD.test(head);
            isInWord = IN_WORD.test(head);
            if (index < end || isWithin) continue;
            const length = lengths
                .get(head)
                ?.find(
                    (own) =>
                        known.has(text.slice(index, index + own)) &&
                        !IN_WORD.test(text.slice(index + own, index + own + 2)),
                );
            if (length === undefined) continue;
            found.push({ term: text.slice(index, index + length), index });
            end = index + length;
        }
        return found;
    }

    return {
        findAll: (text) => find(text).map(({ term }) => term),
        replaceAll: (text, toOther) => {
            let [written, end] = ["", 0];
            for (const { term, index } of find(text)) {
                written += text.slice(end, index) + toOther(term);
                end = index + term.length;
            }
            return written + text.slice(end);
        },
    };
}

/** @returns a word and all that it becomes without one letter: two words that are one typing error apart share one */
function shortened(word: string): readonly string[] {
    return [
        word,
        ...Array.from({ length: word.length }, (_, at) => word.slice(0, at) + word.slice(at + 1)),
    ];
}

function wordsOf(terms: readonly string[]): ReadonlySet<string> {
    return new Set(terms.flatMap((term) => term.toLowerCase().match(LETTERS) ?? []));
}

/** @returns whether one of two words may be the other one with a typing error */
export function isMisspelling(word: string, other: string): boolean {
    const least = Math.min(word.length, other.length);
    return least >= MIN_CORRECTED_PART && isOneTypoAway(word, other);
}

/** @returns whether one letter is missing, added, replaced or swapped with the next one; the first one is right */
function isOneTypoAway(word: string, name: string): boolean {
    if (!name.startsWith(word.slice(0, 1)) || Math.abs(word.length - name.length) > 1) return false;
    let at = 0;
    while (at < word.length && word[at] === name[at]) at += 1;
    const [rest, other] = [word.slice(at), name.slice(at)];
    return (
        rest.slice(1) === other ||
        rest === other.slice(1) ||
        rest.slice(1) === other.slice(1) ||
        (rest.slice(0, 2) === other.charAt(1) + other.charAt(0) && rest.slice(2) === other.slice(2))
    );
}
