/** Writes numbers, clock times and comparisons in one way each, before numbers are extracted. */

const UNITS =
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
        " ",
    );
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const ORDINALS =
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(" ");
const ROMAN = "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx".split(" ");
/** A single letter may be a name, as in "plan v". */
const MIN_ROMAN = 2;

const VALUES: ReadonlyMap<string, string> = new Map([
    ...UNITS.map((word, value) => [word, String(value)] as const),
    ...UNITS.slice(13).map((word, at) => [`${word}th`, String(13 + at)] as const),
    ...TENS.map((word, at) => [word, String(20 + 10 * at)] as const),
    ...TENS.map((word, at) => [word.replace(/y$/u, "ieth"), String(20 + 10 * at)] as const),
    ...ORDINALS.map((word, at) => [word, String(1 + at)] as const),
    ...ROMAN.map((word, at) => [word, String(2 + at)] as const).filter(
        ([{ length }]) => length >= MIN_ROMAN,
    ),
    ...([
        ["once", "1"],
        ["twice", "2"],
        ["dozen", "12"],
        ["half", "1/2"],
        ["quarter", "1/4"],
    ] as const),
]);

/** A comparison of the number after it, or of the one before it. */
export const BOUNDS = { most: "≤", least: "≥", orLess: "⩽", orMore: "⩾" } as const;

const AT_MOST =
    "at most|no more than|not more than|no greater than|less than|fewer than|lower than|cheaper than|smaller than|shorter than|up to|under|below|max|maximum|within";
const AT_LEAST =
    "at least|no less than|not less than|no fewer than|more than|greater than|higher than|larger than|bigger than|longer than|over|above|min|minimum|from";
const BEFORE_NUMBER = String.raw`(?=(?:\s+\p{L}{1,20}){0,2}\s*[-−]?\p{Sc}?\s?\d)`;

function wholeWords(choices: Iterable<string>): string {
    return String.raw`(?<![\p{L}\p{N}])(?:${[...choices].join("|")})(?![\p{L}\p{N}])`;
}

const CLOCK = /(?<![\d.,:])(\d{1,2})(?:[:.](\d\d))?\s?([ap])\.?m(?:\.|(?![\p{L}\p{N}]))/gu;
const COMPOUND = new RegExp(
    String.raw`(?<!\p{L})(${TENS.join("|")})[-\s](${[...UNITS.slice(1, 10), ...ORDINALS.slice(0, 9)].join("|")})(?!\p{L})`,
    "gu",
);
/** In "10 second" and "per second" it is no ordinal. */
const SPELLED = new RegExp(String.raw`(?<!\d\s?|per\s)${wholeWords(VALUES.keys())}`, "gu");
/** "One" for a thing that was named, or for anybody, and "first" without a thing. */
const PRONOUN =
    /(?<!\p{L})(?:(?<=(?:can|could|should|would|does|do|must|will|may|might|new|old|other|same|existing) )one|one(?=\s*(?:[?.!,;]|$)|\s+(?:to|for|that|which|from|and|or|if|when|on|in|at|with|without|by|is|was|has|can|need|needs|should|please)(?!\p{L}))|(?<!the )first(?=\s*(?:[?.!,;]|$)))(?!\p{L})/gu;
const SUFFIXED = /(?<![\p{L}\d])(\d+)(?:st|nd|rd|th)(?![\p{L}\p{N}])/gu;
const BARE_SCALE =
    /(?<![\d.,]\s?)(?<!\p{L})(?:an?\s)?(hundred|thousand|million|billion)s?(?!\p{L})/gu;
const SIGNED_NUMBER = String.raw`(?=\s?[-−]?\p{Sc}?\s?\d)`;
/** Applied in this order: what is left without a number after it limits the number before it. */
const COMPARISONS: readonly (readonly [RegExp, string])[] = [
    [
        /(?<=\d)\+(?![+\d])|(?<!\p{L})(?:or|and) (?:more|over|above|higher|up)(?!\p{L})/gu,
        BOUNDS.orMore,
    ],
    [/(?<!\p{L})or (?:less|fewer|under|below|lower)(?!\p{L})/gu, BOUNDS.orLess],
    [
        new RegExp(
            String.raw`(?<![\p{L}\p{N}])(?:${AT_MOST})(?![\p{L}\p{N}])${BEFORE_NUMBER}`,
            "gu",
        ),
        BOUNDS.most,
    ],
    [
        new RegExp(
            String.raw`(?<![\p{L}\p{N}])(?:${AT_LEAST})(?![\p{L}\p{N}])${BEFORE_NUMBER}`,
            "gu",
        ),
        BOUNDS.least,
    ],
    [new RegExp(`(?<![<>=-])(?:<=?|≤|⩽)${SIGNED_NUMBER}`, "gu"), BOUNDS.most],
    [new RegExp(`(?<![<>=-])(?:>=?|≥|⩾)${SIGNED_NUMBER}`, "gu"), BOUNDS.least],
    [/(?<!\p{L})(?:max|maximum|at most|tops)(?!\p{L})/gu, BOUNDS.orLess],
    [/(?<!\p{L})(?:minimum|at least)(?!\p{L})/gu, BOUNDS.orMore],
];

/** @param text in lower case, in the normal form NFKC */
export function writeNumbers(text: string): string {
    return COMPARISONS.reduce(
        (written, [expression, sign]) => written.replace(expression, ` ${sign} `),
        text
            .replace(CLOCK, toClock)
            .replace(PRONOUN, "it")
            .replace(COMPOUND, (_, tens: string, unit: string) =>
                String(Number(VALUES.get(tens)) + Number(VALUES.get(unit))),
            )
            .replace(SPELLED, (word) => VALUES.get(word) ?? word)
            .replace(SUFFIXED, "$1")
            .replace(BARE_SCALE, "1 $1"),
    );
}

function toClock(_: string, hour: string, minute: string | undefined, half: string): string {
    return `${(Number(hour) % 12) + (half === "p" ? 12 : 0)}:${minute ?? "00"} `;
}
