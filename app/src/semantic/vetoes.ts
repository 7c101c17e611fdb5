import { type CompiledRules, isMisspelling } from "./conceptRules.ts";
import { findLocated } from "./locations.ts";
import { normaliseText } from "./normaliseText.ts";
import {
    contradictNumbers,
    extractCurrencies,
    extractNumbers,
    type NumberFact,
} from "./numbers.ts";
import { writeNumbers } from "./numberWords.ts";
import { findTimeDirection } from "./timeDirection.ts";
import { hasExchangedRoles } from "./wordOrder.ts";

/** Why a text must not be answered from another one, however similar they are. */
export const VETOES = [
    "numbers",
    "negation",
    "opposites",
    "quotes",
    "code",
    "script",
    "places",
    "names",
    "order",
] as const;
export type Veto = (typeof VETOES)[number];

/** What must be equal in two texts. */
export interface TextFacts {
    readonly words: ReadonlySet<string>;
    /** In their order, without articles. */
    readonly sequence: readonly string[];
    readonly timeDirection: "" | "past" | "future";
    readonly numbers: readonly NumberFact[];
    readonly currencies: string;
    readonly negations: Negations;
    readonly opposites: ReadonlyMap<number, string>;
    readonly quoted: ReadonlySet<string>;
    /** The text in lower case, in which quoted words may stand without quotation marks. */
    readonly plain: string;
    readonly code: string;
    readonly script: string;
    /** Words with diacritics, by what the local model reads. */
    readonly accented: ReadonlyMap<string, string>;
    readonly places: string;
    readonly names: ReadonlySet<string>;
    /** Words after "from" or before "to", and after "to". */
    readonly origins: ReadonlySet<string>;
    readonly destinations: ReadonlySet<string>;
    /** Words that may be places which no list contains. */
    readonly located: ReadonlySet<string>;
}

interface Negations {
    readonly count: number;
    /** Stems of words; empty for a negation without one. */
    readonly negated: ReadonlySet<string>;
    readonly affirmed: ReadonlySet<string>;
}

/** Of a longer text, the rest is compared as it is. */
export const MAX_CHARACTERS = 1_024;

const WORD = /[\p{L}\p{N}]+/gu;
/** No opening sign within a quote, so that each is searched once. */
const QUOTE = /"([^"]+)"|(?<![\p{L}\p{N}])'([^']+)'(?![\p{L}\p{N}])/gu;

/** English, and the most common words of German, French, Spanish, Italian and Dutch. */
const NEGATIONS = new Set(
    "not no never none nobody nothing nowhere neither nor without w/o lacking lacks lack cannot except excluding excludes exclude disallow disallowed forbidden prohibited banned unable hardly barely scarcely apart non cant wont dont doesnt didnt isnt arent aint wasnt werent havent hasnt hadnt shouldnt wouldnt couldnt mustnt neednt shant ohne nicht kein keine keinen sans pas sin senza geen niet zonder".split(
        " ",
    ),
);
const FREE = /-free$/u;
const NEGATION_TOKEN = /w\/o(?![\p{L}\p{N}])|[\p{L}\p{N}']+(?:-free(?!\p{L}))?/gu;
/** After a contraction, they start a question whose verb is negated: "isn't my card working". */
const SUBJECTS = new Set(
    "i you he she it we they my your his her its our their the a an this that these those there".split(
        " ",
    ),
);
/** Words between a negation and what it negates. */
const FILLERS = new Set(
    "a an the any to be been is are was were have has had do does did i you we they it my your our very so much of in on for able allowed".split(
        " ",
    ),
);
const ENDING = /(?:ing|ed|es|s|e)$/u;
const MIN_STEM = 3;
const NEGATIVE_PREFIX = /^(?:un|dis|non|in|im|ir|il|de)(?=\p{L}{4})/u;

/** What marks a run of characters as an identifier, call, path, operator, or a name such as C++ and C#. */
const CODE =
    /[\p{L}\p{N}](?:\+\+|--|#)|_|[\p{Ll}\p{N}]\p{Lu}|\S\\|\\\S|\S\/\S|\/\S|\.\p{L}|[=<>!&|]{2}|[[\]{}()<>]{2}|\p{L}\(|@\S/u;
const COMPARISON = /(?<=\p{L}\s*)[<>]=?(?=\s*\p{L})/gu;
const CODE_QUOTE = /`[^`]*`/gu;
const RUN = /\S+/gu;
const BEFORE_CODE = /^["'(]+/u;
const AFTER_CODE = /(?<![.,;:!?"'])[.,;:!?"']+$/u;
/** "C" or "R", not the rest of "it's"; without "a" and "i". */
const SINGLE_LETTER = /(?<![\p{L}\p{N}'])[b-hj-z](?![\p{L}\p{N}'])/gu;

const DIACRITIC = /\p{M}/gu;
const ACCENTED_WORD = /[\p{Script=Latin}\p{M}]+/gu;
/** What the local model may not know, or what stands for a word; two such texts may have one signature. */
const UNUSUAL = /[^\x20-\x7e\s–—…·•“”„«»‹›‘’‚\p{Sc}]/gu;
/** The local model reads no longer word. */
const UNREADABLE = /(?<![\p{L}\p{N}])[\p{L}\p{N}]{100,}/gu;
/** A capitalised word that starts no sentence, and is not "I've" or the like. */
const NAME = /(?<=[\p{Ll}\p{N},;] )(?!I')\p{Lu}[\p{L}\p{N}']+/gu;
const TOWARDS = String.raw`(?: to:? |\s?(?:→|->|[-–])\s?)`;
/** "From A to B", "A to B" and "A → B". */
const DIRECTION = new RegExp(
    String.raw`(?<!\p{L})from:? (\p{L}+)|${TOWARDS}(\p{L}+)|(?<!\p{L})(\p{L}+)(?=${TOWARDS}\p{L})`,
    "gu",
);
const ARTICLES = new Set(["a", "an", "the"]);

/** Extracts the facts of a text once; pairs are then compared without it. The work is linear in the length. */
export function extractFacts(text: string, rules: CompiledRules): TextFacts {
    // Characters that become many are unusual, and compared as such.
    const written = normaliseText(text.slice(0, MAX_CHARACTERS)).slice(0, MAX_CHARACTERS);
    const corrected = rules.correct(written);
    const rewritten = rules.rewrite(corrected);
    // Not in the normal form NFKC, which the local model does not use.
    const readable = text.slice(0, MAX_CHARACTERS).normalize("NFD").replace(DIACRITIC, "");
    const compared = writeNumbers(rewritten);
    const [origins, destinations] = findDirections(rewritten);
    const words = rewritten.match(WORD) ?? [];
    const places = [...rules.placesIn(rewritten)];
    const placeWords = new Set(places.flatMap((place) => place.split(" ")));
    return {
        words: new Set(words),
        sequence: words.filter((word) => !ARTICLES.has(word)),
        timeDirection: findTimeDirection(compared),
        numbers: extractNumbers(compared),
        currencies: extractCurrencies(rewritten),
        negations: findNegations(compared),
        opposites: rules.oppositesIn(rewritten),
        quoted: new Set(
            [...written.toLowerCase().matchAll(QUOTE)].map((quote) => quote.slice(1).join("")),
        ),
        plain: written.toLowerCase(),
        code: joinSorted([...findCode(written), ...(rewritten.match(SINGLE_LETTER) ?? [])]),
        script: [
            ...(readable.match(UNUSUAL) ?? []),
            ...(readable.match(UNREADABLE) ?? []),
            text.slice(MAX_CHARACTERS),
        ].join(""),
        accented: findAccented(written.toLowerCase()),
        places: joinSorted(places),
        names: new Set(
            (written.match(NAME) ?? [])
                .map((name) => name.toLowerCase())
                .filter((name) => !rules.covers(name) && !placeWords.has(name)),
        ),
        origins,
        destinations,
        located: findLocated(rewritten),
    };
}

/** @returns the first reason why two texts must not share an answer */
export function findVeto(a: TextFacts, b: TextFacts): Veto | undefined {
    if (
        contradictNumbers(a.numbers, b.numbers) ||
        contradictCurrencies(a, b) ||
        contradictTimes(a, b)
    )
        return "numbers";
    if (
        contradictNegations(a.negations, b.negations) ||
        contradictNegations(b.negations, a.negations)
    )
        return "negation";
    for (const [list, term] of a.opposites) {
        const other = b.opposites.get(list);
        if (other !== undefined && other !== term) return "opposites";
    }
    if (negatesByPrefix(a, b) || negatesByPrefix(b, a)) return "negation";
    if (lacksQuoted(a, b) || lacksQuoted(b, a)) return "quotes";
    if (a.code !== b.code) return "code";
    if (a.script !== b.script || hasOtherAccents(a, b) || hasOtherAccents(b, a)) return "script";
    if (a.places !== b.places || isReversed(a, b) || isElsewhere(a, b)) return "places";
    // A name that the other text writes in lower case is not missing there.
    const isKnown = (name: string, { words }: TextFacts): boolean => words.has(name);
    const isMissing =
        [...a.names].some((name) => !isKnown(name, b)) ||
        [...b.names].some((name) => !isKnown(name, a));
    if (isMissing) return "names";
    return hasExchangedRoles(a.sequence, b.sequence) ? "order" : undefined;
}

function lacksQuoted({ quoted }: TextFacts, { plain }: TextFacts): boolean {
    return [...quoted].some((words) => !plain.includes(words));
}

function contradictTimes({ timeDirection: a }: TextFacts, { timeDirection: b }: TextFacts) {
    return a !== "" && b !== "" && a !== b;
}

function contradictCurrencies(a: TextFacts, b: TextFacts): boolean {
    return a.currencies !== "" && b.currencies !== "" && a.currencies !== b.currencies;
}

function findNegations(text: string): Negations {
    const [negated, affirmed] = [new Set<string>(), new Set<string>()];
    let [next, following, count] = ["", "", 0];
    for (const token of (text.match(NEGATION_TOKEN) ?? []).reverse()) {
        const word = token.replace(FREE, "");
        const isNegation = NEGATIONS.has(word) || word.endsWith("n't");
        const isInverted = word.endsWith("n't") && SUBJECTS.has(following);
        if (isNegation && !isInverted) affirmed.delete(next);
        // Which of the words after it is negated, is not known.
        if (isInverted) affirmed.clear();
        if (isNegation || word !== token) {
            negated.add(isInverted ? "" : isNegation ? next : stem(word));
            count += 1;
        } else if (!FILLERS.has(word)) affirmed.add((next = stem(word)));
        following = word;
    }
    return { count, negated, affirmed };
}

/** @returns whether one text negates an odd number of times and the other does not, or one what the other affirms */
function contradictNegations(a: Negations, b: Negations): boolean {
    return (
        a.count % 2 !== b.count % 2 ||
        (a.count === 0) !== (b.count === 0) ||
        [...a.negated].some((word) => b.affirmed.has(word) && !b.negated.has(word))
    );
}

function stem(word: string): string {
    const short = word.replace(ENDING, "");
    return short.length < MIN_STEM ? word : short;
}

/** @returns whether `a` has a word such as "unfurnished", and `b` only the one without the prefix */
function negatesByPrefix({ words }: TextFacts, b: TextFacts): boolean {
    return [...words].some((word) => {
        const positive = word.replace(NEGATIVE_PREFIX, "");
        return positive !== word && b.words.has(positive) && !words.has(positive);
    });
}

function findCode(text: string): readonly string[] {
    const runs = (text.replace(CODE_QUOTE, " ").match(RUN) ?? []).filter((run) => CODE.test(run));
    return [
        ...(text.match(CODE_QUOTE) ?? []),
        ...(text.match(COMPARISON) ?? []),
        ...runs.map((run) => run.replace(BEFORE_CODE, "").replace(AFTER_CODE, "")),
    ];
}

function findAccented(text: string): ReadonlyMap<string, string> {
    const forms = (text.match(ACCENTED_WORD) ?? []).map(
        (form) => [form.normalize("NFD").replace(DIACRITIC, ""), form] as const,
    );
    return new Map(forms.filter(([plain, form]) => plain !== form));
}

function hasOtherAccents(a: TextFacts, b: TextFacts): boolean {
    return [...a.accented].some(([plain, form]) => {
        const other = b.accented.get(plain);
        return other === undefined ? b.words.has(plain) : other !== form;
    });
}

function findDirections(text: string): readonly [ReadonlySet<string>, ReadonlySet<string>] {
    const [origins, destinations] = [new Set<string>(), new Set<string>()];
    for (const [, from, to, before] of text.matchAll(DIRECTION))
        if (to === undefined) origins.add(from ?? before ?? "");
        else destinations.add(to);
    return [origins, destinations];
}

/** @returns whether an origin of one text is a destination of the other, and the other way round */
function isReversed(a: TextFacts, b: TextFacts): boolean {
    return (
        [...a.origins].some((place) => b.destinations.has(place)) &&
        [...a.destinations].some((place) => b.origins.has(place))
    );
}

/** @returns whether two texts are about something in different places, as far as a preposition shows it */
function isElsewhere(a: TextFacts, b: TextFacts): boolean {
    const isKnown = (place: string, { words, located }: TextFacts): boolean =>
        words.has(place) ||
        located.has(place) ||
        [...located].some((other) => isMisspelling(place, other));
    return (
        [...a.located].some((place) => !isKnown(place, b)) &&
        [...b.located].some((place) => !isKnown(place, a))
    );
}

/** @returns the share of all words of two texts that both contain, in [0, 1] */
export function sharedWords(a: TextFacts, b: TextFacts): number {
    let shared = 0;
    for (const word of a.words) if (b.words.has(word)) shared += 1;
    return shared / Math.max(1, a.words.size + b.words.size - shared);
}

function joinSorted(values: readonly string[]): string {
    return [...new Set(values)].sort().join("\u0000");
}
