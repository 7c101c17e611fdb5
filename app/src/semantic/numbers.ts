import { isMisspelling } from "./conceptRules.ts";
import { BOUNDS } from "./numberWords.ts";

/** Numbers of a text, each with the word that it counts; months and days of the week count as numbers. */
export interface NumberFact {
    /** In one spelling: 450k, 450,000 and £450K are 450000; a date or a range is one value. */
    readonly value: string;
    /** The next word in the singular, else the word before; empty without one. */
    readonly noun: string;
    /** Whether a sign of a currency is before it, so that the noun is no unit. */
    readonly isMoney: boolean;
    /** Whether it is compared: the most, the least, or empty. */
    readonly bound: "" | "≤" | "≥";
}

const SCALES: ReadonlyMap<string, number> = new Map([
    ["hundred", 100],
    ["k", 1e3],
    ["thousand", 1e3],
    ["m", 1e6],
    ["mn", 1e6],
    ["million", 1e6],
    ["bn", 1e9],
    ["billion", 1e9],
]);
const PERCENT = /^(?:%|percent|per cent)$/u;

const SCALE = String.raw`(?:(%|(?:k|mn?|bn)(?![\p{L}\p{N}])|\s?(?:hundred|thousand|million|billion|percent|per cent)(?!\p{L})))?`;
/** Part of the name of a room or a version. "K" and "m" are scales. */
const LETTER = String.raw`[a-jln-z](?![\p{L}\p{N}])`;
/** A dash after a letter or a digit is no sign. */
const PREFIX = String.raw`((?:minus |(?<![\p{L}\p{N}])[-−](?=[\p{Sc}\d]))?\p{Sc}?)\s?`;
const AMOUNT = String.raw`${PREFIX}((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\d))${SCALE}(?![.,:/]\d|${LETTER})`;
const CHAIN = String.raw`\d+(?:[.,:/–-]\d+)*`;
/** "May" and "march" are verbs, too; "sat" and "sun" are no days often enough. */
const CALENDAR = String.raw`(?<!\p{L})(${[
    "mon(?:days?)?|tue(?:s|sdays?)?|wed(?:s|nesdays?)?|thu(?:rs?|rsdays?)?|fri(?:days?)?|saturdays?|sundays?",
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?",
    String.raw`(?<=(?:in|of|on|by|until|till|from|since|next|last|this|before|after|early|late|mid|\d)\s)may|may(?=\s\d)`,
].join("|")})(?!\p{L})`;
/**
 * A number with a letter such as 5A, a range, an amount, a date or another chain of digits, a comparison, a day or month, a name with digits such as E8,
 * or a word.
 */
const TOKEN = new RegExp(
    [
        String.raw`(\d+${LETTER})`,
        String.raw`${AMOUNT}(?:\s?[-–]\s?|\s+to\s+)${AMOUNT}(?![-–]\d)`,
        String.raw`${AMOUNT}(?![-–]\d)`,
        String.raw`(${CHAIN}(?:\s+to\s+${CHAIN})?)`,
        String.raw`([≤≥⩽⩾])`,
        CALENDAR,
        String.raw`(\p{L}+\p{N}[\p{L}\p{N}]*)`,
        String.raw`(\p{L}+)`,
    ].join("|"),
    "gu",
);
const BETWEEN = /\b(between\s+\S+)\s+and\s+(?=\p{Sc}?\d)/gu;

/** Words after a number that it does not count. */
const NO_UNITS = new Set(
    "a an the in on at to of for from by with without and or but per near under over between is are was were be do can will i you my your we our it its this that there here up max min each every please not no only about around available which who what where when than then as if".split(
        " ",
    ),
);
/** The unit is the word after them. */
const UNIT_PREFIXES = new Set(["square", "sq", "cubic"]);
const TO = /\s+to\s+/u;
const SAME_UNITS: ReadonlyMap<string, string> = new Map(
    (
        [
            ["minute", "min"],
            ["hour", "hr hrs"],
            ["week", "wk wks"],
            ["year", "yr yrs"],
            ["kilometre", "km kms kilometer"],
            ["mile", "mi"],
            ["metre", "m meter"],
            ["foot", "ft feet"],
            ["kilogram", "kg kgs kilo"],
            ["pound", "lb lbs gbp quid £"],
            ["person", "people guest"],
            ["dollar", "usd $"],
            ["euro", "eur €"],
            ["yen", "jpy ¥"],
            ["rupee", "inr ₹"],
            ["franc", "chf"],
            ["penny", "pence"],
        ] as const
    ).flatMap(([unit, others]) => others.split(" ").map((other) => [other, unit] as const)),
);
const CURRENCIES = new Set(["pound", "dollar", "euro", "yen", "rupee", "franc", "cent", "penny"]);
const CURRENCY_TOKEN = /\p{Sc}|(?<!\p{L})\p{L}+/gu;

/** @param text as `writeNumbers` has written it */
export function extractNumbers(text: string): readonly NumberFact[] {
    const found: { -readonly [Key in keyof NumberFact]: NumberFact[Key] }[] = [];
    let [before, isOpen] = ["", false];
    let bound: NumberFact["bound"] = "";
    for (const token of text.replace(BETWEEN, "$1 to ").matchAll(TOKEN)) {
        const [, lettered, p1, low, lowScale, p2, high, highScale, p3, amount, scale, ...others] =
            token;
        const [chain, comparison, day, name, word] = others;
        const last = found.at(-1);
        if (word !== undefined) {
            if (last && isOpen) last.noun = singular(word);
            [before, isOpen] = [word, isOpen && UNIT_PREFIXES.has(word)];
        } else if (comparison !== undefined) {
            const isMost = comparison === BOUNDS.most || comparison === BOUNDS.orLess;
            const sign = isMost ? BOUNDS.most : BOUNDS.least;
            if (comparison === sign) bound = sign;
            else if (last) last.bound ||= sign;
        } else if (day !== undefined) {
            found.push({ value: day.slice(0, 3), noun: "", isMoney: true, bound: "" });
            isOpen = false;
        } else {
            const value =
                low !== undefined && high !== undefined
                    ? // "450-500k" leaves out the scale of the first amount.
                      `${scaled(p1, low, lowScale ?? highScale)}..${scaled(p2, high, highScale)}`
                    : amount === undefined
                      ? (lettered ?? chain?.replace(TO, "-") ?? name ?? "")
                      : scaled(p3, amount, scale);
            const isMoney = /\p{Sc}/u.test(`${p1 ?? ""}${p2 ?? ""}${p3 ?? ""}`);
            found.push({ value, noun: singular(before), isMoney, bound });
            [bound, isOpen] = ["", true];
        }
    }
    return found;
}

/** @returns the currencies that a text in lower case names, sorted */
export function extractCurrencies(text: string): string {
    const names = (text.match(CURRENCY_TOKEN) ?? []).map((name) => unitOf(singular(name)));
    return [...new Set(names.filter((name) => CURRENCIES.has(name)))].sort().join(" ");
}

/**
 * @returns whether two texts have other numbers, or the same ones for other things: "2 adults 3 children" is
 * "3 children 2 adults", and not "3 adults 2 children"
 */
export function contradictNumbers(a: readonly NumberFact[], b: readonly NumberFact[]): boolean {
    if (a.length === 0 && b.length === 0) return false;
    if (joinValues(a.toSorted(byValue)) !== joinValues(b.toSorted(byValue))) return true;
    if (a.some((fact) => contradictSame(fact, b))) return true;
    if (new Set(a.map(({ value }) => value)).size < 2) return false;
    const isBound = (fact: NumberFact): boolean =>
        b.some(({ value, noun }) => noun === fact.noun && value === fact.value);
    // In another order, the words must show that each number counts the same thing.
    if (joinValues(a) !== joinValues(b)) return !a.every(isBound);
    return a.some((fact) => !isBound(fact) && b.some(({ noun }) => noun === fact.noun));
}

/** @returns whether all equal numbers count or limit another thing */
function contradictSame(fact: NumberFact, others: readonly NumberFact[]): boolean {
    const same = others.filter(({ value }) => value === fact.value);
    const unit = unitOf(fact.noun);
    const countsOther = (other: NumberFact): boolean => {
        const otherUnit = unitOf(other.noun);
        const isSame = unit === otherUnit || isMisspelling(unit, otherUnit);
        return unit !== "" && otherUnit !== "" && !isSame;
    };
    return (
        (!fact.isMoney && same.every((other) => !other.isMoney && countsOther(other))) ||
        (fact.bound !== "" && same.every(({ bound }) => bound !== "" && bound !== fact.bound))
    );
}

/** @returns a noun in one spelling; empty if it is no noun */
function unitOf(noun: string): string {
    return NO_UNITS.has(noun) ? "" : (SAME_UNITS.get(noun) ?? noun);
}

function scaled(prefix: string | undefined, amount: string, scale: string | undefined): string {
    const sign = /minus|[-−]/u.test(prefix ?? "") ? "-" : "";
    return sign + scaledAmount(amount, scale);
}

function scaledAmount(amount: string, scale: string | undefined): string {
    const digits = amount.replaceAll(",", "");
    const unit = scale?.trim() ?? "";
    if (PERCENT.test(unit)) return `${Number(digits)}%`;
    const factor = SCALES.get(unit);
    // Twelve digits, because 1.1 × 1,000 is a little more than 1,100; without a factor, any number of digits.
    if (factor !== undefined) return String(Number((Number(digits) * factor).toPrecision(12)));
    return digits.includes(".") ? digits.replace(/\.?0+$/u, "") : digits;
}

function singular(word: string): string {
    return word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

function byValue(a: NumberFact, b: NumberFact): number {
    return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

function joinValues(facts: readonly NumberFact[]): string {
    return facts.map(({ value }) => value).join("\u0000");
}
