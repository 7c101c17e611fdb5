import { element } from "./elements.ts";

export interface CardContent {
    readonly title: string;
    readonly value: string;
    /** What the value rests on, in one sentence. */
    readonly note: string;
    /** Short warning, such as that little time was measured. */
    readonly mark?: string | undefined;
    readonly isLarge?: boolean;
    readonly isUnknown?: boolean;
}

/** One figure with its name and what it rests on. */
export function card({
    title,
    value,
    note,
    mark,
    isLarge = false,
    isUnknown = false,
}: CardContent): HTMLElement {
    const kinds = ["card", ...(isLarge ? ["large"] : []), ...(isUnknown ? ["unknown"] : [])];
    return element(
        "div",
        { class: kinds.join(" ") },
        element("dt", {}, title),
        element("dd", { class: "value" }, value),
        element(
            "dd",
            { class: "note" },
            ...(mark === undefined ? [] : [element("strong", { class: "mark" }, mark), " "]),
            note,
        ),
    );
}

export const cards = (...all: readonly CardContent[]): HTMLElement =>
    element("dl", { class: "cards" }, ...all.map(card));
