/** Words that may be places which no list contains, by where they stand. */

/** As rules of a property search write them: "flats" is "apartment". */
const HOME =
    "(?:apartments?|houses?|homes?|propert(?:y|ies)|studios?|maisonettes?|bungalows?|cottages?|penthouses?|rooms?|flats?)";
const LOCATED = new RegExp(
    [
        String.raw`(?<!\p{L})(?:in|near|at|around) (?!(?:a|an|the|my|your|our|this|that)\b)(\p{L}+)`,
        // "Acton flats", "acton 2 bedroom flat to rent"
        String.raw`^(\p{L}+)(?= (?:\d+ bedrooms? )?${HOME}(?!\p{L}))`,
        // "2 bedroom flat acton", "flat to rent acton"
        String.raw`(?<!\p{L})${HOME}(?: to rent| for sale)? (\p{L}+)[?.!]?$`,
    ].join("|"),
    "gu",
);
/** Words before or after a home that are no places. */
const NO_PLACES = new Set(
    "a an the my your our their his her this that these those all any some more most other every each no which what whose how are is was do does can will with without and or for of to in on at by from find show get see list search looking need want wanted buy rent rental rented renting sell sold let letting sale please now today soon available cheap cheaper cheapest affordable budget luxury expensive modern new newer older old large larger small smaller big bigger tiny spacious nice good better best top family student furnished unfurnished shared private detached terraced victorian georgian period council holiday serviced empty single double studio dream first second next last open price cost rental insurance cover loan mortgage share sharing swap viewing tour near nearby close there here it".split(
        " ",
    ),
);

/** @param text as the concept rules have rewritten it */
export function findLocated(text: string): ReadonlySet<string> {
    const located = new Set<string>();
    for (const [, after, before = "", last = ""] of text.matchAll(LOCATED)) {
        if (after !== undefined) located.add(after);
        // Plurals of things are no places; those that are end in "s" are known by name.
        for (const word of [before, last])
            if (word !== "" && !word.endsWith("s") && !NO_PLACES.has(word)) located.add(word);
    }
    return located;
}
