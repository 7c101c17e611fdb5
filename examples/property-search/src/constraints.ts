import type { Listing } from "./data/generate.ts";

/** Constraints on listings, of a query string or parsed from a message. Undefined: any value. */
export interface Constraints {
    /** Any of these areas. */
    readonly areas?: readonly string[];
    /** None of these. */
    readonly excludedAreas?: readonly string[];
    /** Exact number; 0: studios. */
    readonly bedrooms?: number;
    readonly minBedrooms?: number;
    readonly minPricePounds?: number;
    readonly maxPricePounds?: number;
}

export function fits(listing: Listing, constraints: Constraints): boolean {
    const { areas, excludedAreas, bedrooms, minBedrooms } = constraints;
    const { minPricePounds = 0, maxPricePounds = Infinity } = constraints;
    return (
        (areas === undefined || areas.includes(listing.area)) &&
        excludedAreas?.includes(listing.area) !== true &&
        (bedrooms === undefined || listing.bedrooms === bedrooms) &&
        listing.bedrooms >= (minBedrooms ?? 0) &&
        listing.pricePounds >= minPricePounds &&
        listing.pricePounds <= maxPricePounds
    );
}

/** Constraints in words that follow "with" or stand alone, such as "2 bedrooms, at most £600,000, in Hackney". */
export function describeConstraints(constraints: Constraints): string {
    const { areas, excludedAreas, bedrooms, minBedrooms } = constraints;
    const { minPricePounds, maxPricePounds } = constraints;
    const counted = (count: number) => `${count} bedroom${count === 1 ? "" : "s"}`;
    return [
        bedrooms !== undefined && (bedrooms === 0 ? "studio" : counted(bedrooms)),
        minBedrooms !== undefined && `at least ${counted(minBedrooms)}`,
        minPricePounds !== undefined && `at least ${formatPounds(minPricePounds)}`,
        maxPricePounds !== undefined && `at most ${formatPounds(maxPricePounds)}`,
        areas && `in ${areas.join(" or ")}`,
        excludedAreas && `not in ${excludedAreas.join(" or ")}`,
    ]
        .filter((part) => typeof part === "string")
        .join(", ");
}

export function formatPounds(pounds: number): string {
    return `£${pounds.toLocaleString("en-GB")}`;
}

/** Constraints of a message, and the rest of it, which describes a home. */
export interface ParsedMessage {
    /** Whether the message asks to forget the session's constraints. */
    readonly startsOver: boolean;
    readonly constraints: Constraints;
    /** The message where it describes a home; empty where it consists of constraints only. */
    readonly topic: string;
}

const WORDS: Readonly<Record<string, number>> = {
    ...{ one: 1, two: 2, three: 3, four: 4, five: 5, six: 6 },
};
const COUNT = `(\\d|${Object.keys(WORDS).join("|")})`;
const BEDROOMS = "[\\s-]*(?:bed(?:room)?s?|br)\\b";
const AT_LEAST = new RegExp(
    `\\b(?:at least|minimum(?: of)?|min\\.?)\\s+${COUNT}${BEDROOMS}|\\b${COUNT}\\s*(?:\\+|or more)${BEDROOMS}`,
    "gi",
);
const EXACTLY = new RegExp(`\\b${COUNT}${BEDROOMS}`, "gi");
const STUDIO = /\bstudios?\b/i;
const AMOUNT = "(£?\\s?\\d[\\d,]*(?:\\.\\d+)?\\s?(?:k|m|mn|million|thousand)?)\\b";
const BETWEEN = new RegExp(
    `\\b(?:between|from)\\s+${AMOUNT}\\s*(?:and|to|[-–])\\s*${AMOUNT}`,
    "gi",
);
const AT_MOST = new RegExp(
    `\\b(?:under|below|less than|up to|at most|no more than|max(?:imum)?(?: of)?|within|cheaper than|budget(?: is| of)?)\\s*:?\\s*${AMOUNT}`,
    "gi",
);
const FROM = new RegExp(
    `\\b(?:over|above|more than|at least|from|minimum(?: of)?|min)\\s+${AMOUNT}`,
    "gi",
);
const START_OVER = /\b(?:start over|new search|forget (?:that|it|everything)|reset)\b/gi;
const ANYWHERE = /\b(?:anywhere|any area|all of london|all areas)\b/gi;
/** Words that describe no home. */
const FILLERS = new Set(
    (
        "a an and any anything are at be but can cheaper do find for give have home homes house houses flat flats " +
        "property properties place places how about i in instead is it like listings looking make me more my near of " +
        "ok okay one only or other please price show some something that the then there these this those to want " +
        "we what which with within would you yes no not london area search over"
    ).split(" "),
);
/** An amount without a unit or the currency is a price from here on. */
const LEAST_PLAIN_POUNDS = 10_000;

/** @param areas names of all areas */
export function parseMessage(message: string, areas: readonly string[]): ParsedMessage {
    const found: { -readonly [Key in keyof Constraints]: Constraints[Key] } = {};
    let rest = message;
    /** Removes what a handler takes; it may leave a match. */
    const take = (expression: RegExp, onMatch: (groups: readonly string[]) => boolean): void => {
        rest = rest.replace(expression, (match: string, ...more: unknown[]) =>
            onMatch(more.filter((one) => typeof one === "string").slice(0, -1)) ? " " : match,
        );
    };
    let startsOver = false;
    take(START_OVER, () => (startsOver = true));
    take(BETWEEN, ([low = "", high = ""]) => {
        // "400 to 600k": the unit of the second belongs to both.
        const unit = /(k|m|mn|million|thousand)$/i.exec(high)?.[1] ?? "";
        const least = parsePounds(/[a-z]$/i.test(low) ? low : `${low}${unit}`);
        const most = parsePounds(high);
        if (least === undefined || most === undefined) return false;
        found.minPricePounds = Math.min(least, most);
        found.maxPricePounds = Math.max(least, most);
        return true;
    });
    take(AT_LEAST, ([count = ""]) => {
        found.minBedrooms = parseCount(count);
        return true;
    });
    take(EXACTLY, ([count = ""]) => {
        found.bedrooms = parseCount(count);
        return true;
    });
    // The word says something about the home too: it stays.
    if (STUDIO.test(rest)) found.bedrooms ??= 0;
    take(AT_MOST, ([amount = ""]) => {
        const pounds = parsePounds(amount);
        if (pounds === undefined) return false;
        found.maxPricePounds = pounds;
        return true;
    });
    take(FROM, ([amount = ""]) => {
        const pounds = parsePounds(amount);
        if (pounds === undefined) return false;
        found.minPricePounds = pounds;
        return true;
    });
    // The longest first: "East Dulwich" before a "Dulwich".
    const names = [...areas].sort((one, other) => other.length - one.length);
    const [included, excluded] = [new Set<string>(), new Set<string>()];
    for (const name of names) {
        take(
            new RegExp(`\\b(?:(not in|except|outside|avoid)\\s+)?${name}\\b`, "gi"),
            ([negation]) => {
                (negation === undefined ? included : excluded).add(name);
                return true;
            },
        );
    }
    if (included.size > 0) found.areas = [...included].sort();
    if (excluded.size > 0) found.excludedAreas = [...excluded].sort();
    take(ANYWHERE, () => {
        found.areas = [];
        return true;
    });
    const words = rest.toLowerCase().match(/[\p{L}]+/gu) ?? [];
    const describes = words.some((word) => !FILLERS.has(word));
    return { startsOver, constraints: found, topic: describes ? message : "" };
}

/** Constraints of a session with those of a new message, which replace their own kind. */
export function mergeConstraints(known: Constraints, found: Constraints): Constraints {
    const { bedrooms, minBedrooms, areas, excludedAreas } = found;
    const isNewBedrooms = bedrooms !== undefined || minBedrooms !== undefined;
    const isNewArea = areas !== undefined || excludedAreas !== undefined;
    const merged = {
        ...known,
        ...(isNewBedrooms && { bedrooms: undefined, minBedrooms: undefined }),
        ...(isNewArea && { areas: undefined, excludedAreas: undefined }),
        ...found,
        // "anywhere"
        ...(areas?.length === 0 && { areas: undefined }),
    };
    // A new limit beyond the other one replaces it.
    if ((merged.minPricePounds ?? 0) > (merged.maxPricePounds ?? Infinity)) {
        if (found.maxPricePounds === undefined) delete merged.maxPricePounds;
        else delete merged.minPricePounds;
    }
    const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
    return Object.fromEntries(entries);
}

function parseCount(text: string): number {
    return WORDS[text.toLowerCase()] ?? Number(text);
}

/** @returns undefined for a number that is no price, such as that of bedrooms. */
function parsePounds(text: string): number | undefined {
    const [, currency, digits = "", unit = ""] =
        /^(£?)\s?([\d,.]+)\s?([a-z]*)$/i.exec(text.trim()) ?? [];
    const number = Number(digits.replaceAll(",", ""));
    const factor = /^k|^thousand/i.test(unit) ? 1e3 : /^m/i.test(unit) ? 1e6 : 1;
    const pounds = Math.round(number * factor);
    if (!Number.isSafeInteger(pounds)) return undefined;
    const isPrice = currency === "£" || factor > 1 || pounds >= LEAST_PLAIN_POUNDS;
    return isPrice ? pounds : undefined;
}
