/** Finds that two things have exchanged their roles: "the owner pays the agency", "the agency pays the owner". */

/** Between two things, these say what the first one is or does to the second one. */
const RELATIONS = new Set(
    "from to by for of near under over than against into onto before after above below behind inside outside through via owe pay sue call contact sell give send lend charge fine evict refund notify invite inform ask tell hire help transfer beat replace include own report trust owns visit follow join manage employ represent reimburse compensate blame warn pass move exceed precede contain require mean cause".split(
        " ",
    ),
);
const ENDING = /(?:ying|ing|ies|ied|ed|es|s|d)$/u;
/** Words of a thing: "the estate agent". */
const MAX_WORDS = 3;

/**
 * @param a words in their order
 * @returns whether the texts are X M Y and Y M X between equal words, with a relation within M
 */
export function hasExchangedRoles(a: readonly string[], b: readonly string[]): boolean {
    if (a.length !== b.length) return false;
    let from = 0;
    let end = a.length;
    while (from < end && a[from] === b[from]) from += 1;
    while (end > from && a[end - 1] === b[end - 1]) end -= 1;
    const sizes = Array.from({ length: MAX_WORDS }, (_, at) => at + 1);
    return sizes.some((first) =>
        sizes.some((second) => {
            const [left, right] = [from + first, end - second];
            const [otherLeft, otherRight] = [from + second, end - first];
            return (
                left < right &&
                isSame(a.slice(from, left), b.slice(otherRight, end)) &&
                isSame(a.slice(right, end), b.slice(from, otherLeft)) &&
                isSame(a.slice(left, right), b.slice(otherLeft, otherRight)) &&
                a.slice(left, right).some(isRelation)
            );
        }),
    );
}

function isRelation(word: string): boolean {
    const stem = word.replace(ENDING, "");
    return [word, stem, `${stem}e`, `${stem}y`].some((form) => RELATIONS.has(form));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
    return a.every((word, at) => word === b[at]);
}
