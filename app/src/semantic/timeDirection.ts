/** Whether a duration lies before or after now: "5 days ago", "in 5 days". */

const UNIT = String.raw`(?:second|sec|minute|min|hour|hr|day|night|week|wk|fortnight|month|year|yr|decade)s?`;
const COUNT = String.raw`(?:\d+(?:\.\d+)?|(?:an? )?(?:few|couple of|several)|an?)`;
const PAST = new RegExp(
    [
        String.raw`(?<!\p{L})${UNIT} (?:ago|earlier|back|previously)(?!\p{L})`,
        String.raw`(?<!\p{L})(?:last|past|previous) ${COUNT} ${UNIT}(?!\p{L})`,
    ].join("|"),
    "u",
);
const FUTURE = new RegExp(
    [
        String.raw`(?<!\p{L})in (?:about |around )?${COUNT} ${UNIT}(?! (?:ago|earlier|back))(?!\p{L})`,
        String.raw`(?<!\p{L})${UNIT} (?:from now|from today|later|hence|ahead)(?!\p{L})`,
        String.raw`(?<!\p{L})(?:next|coming|following) ${COUNT} ${UNIT}(?!\p{L})`,
    ].join("|"),
    "u",
);

/** @param text in lower case, with numbers in digits @returns empty without a direction, or with both */
export function findTimeDirection(text: string): "" | "past" | "future" {
    const [isPast, isFuture] = [PAST.test(text), FUTURE.test(text)];
    if (isPast === isFuture) return "";
    return isPast ? "past" : "future";
}
