import { UserError } from "@property-search/contract";

/** @returns a parser of whole numbers, which stay text */
export function wholeNumber(flag: string, least = 0) {
    return (text: string): string => {
        if (/^\d{1,9}$/.test(text) && Number(text) >= least) return text;
        throw new UserError(`${flag} is "${text}"; allowed: a whole number of ${least} or more`);
    };
}

/**
 * @param list comma-separated names. Default: all.
 * @returns the names of the list
 * @throws UserError for one that does not exist
 */
export function selectNames(
    flag: string,
    list: string | undefined,
    names: readonly string[],
): ReadonlySet<string> {
    const selected = list?.split(",") ?? names;
    const unknown = selected.find((name) => !names.includes(name));
    if (unknown === undefined) return new Set(selected);
    throw new UserError(`${flag} is "${unknown}"; allowed: ${[...new Set(names)].join(", ")}`);
}
