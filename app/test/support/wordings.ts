import { trueVector } from "./vectors.ts";

export const DIMENSIONS = 64;
export const SUBJECTS = [
    ...["quiet flat beside the park", "bright studio by the river", "family house with a garden"],
    ...["pharmacy open late at night", "gym with a swimming pool", "school with a good rating"],
    ...["loft in an old warehouse", "cottage with a fireplace", "office for a small company"],
    ...["parking space for a van", "restaurant with vegan food", "library with study rooms"],
];
const BEGINNINGS = [
    "",
    "a ",
    "looking for a ",
    "show me a ",
    "we want a ",
    "find a ",
    "any ",
    "the ",
];
const ENDS = ["", " please", " for my family", " as soon as possible", " for us", " thanks"];

/** Wordings of the subjects, in an order in which each subject appears early. */
export const TEXTS = BEGINNINGS.flatMap((beginning) =>
    ENDS.flatMap((end) => SUBJECTS.map((subject) => `${beginning}${subject}${end}`)),
);

/** The upstream's vectors depend on the subject alone, so that other wordings can be answered from one. */
export function vectorOf(text: string): Float32Array<ArrayBuffer> {
    return trueVector(SUBJECTS.find((subject) => text.includes(subject)) ?? text, DIMENSIONS);
}
