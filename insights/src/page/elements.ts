type Child = Node | string | undefined;

/** Attributes by name; undefined ones are left out. Text is never read as HTML. */
type Attributes = Readonly<Record<string, string | undefined>>;

export function element<Name extends keyof HTMLElementTagNameMap>(
    name: Name,
    attributes: Attributes = {},
    ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
    const created = document.createElement(name);
    for (const [key, value] of Object.entries(attributes))
        if (value !== undefined) created.setAttribute(key, value);
    created.append(...children.filter((child) => child !== undefined));
    return created;
}

/** @throws if the page has no element of this ID */
export function byId(id: string): HTMLElement {
    const found = document.getElementById(id);
    if (found === null) throw new Error(`The page has no element "${id}"`);
    return found;
}

export interface Cell {
    readonly text: string;
    readonly href?: string;
    /** Link text for readers that hear it without its row. */
    readonly label?: string;
}

export interface TableContent {
    readonly caption: string;
    /** The first column is the name of a row. */
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | Cell)[])[];
    /** Columns with text instead of figures, by index. */
    readonly textColumns?: readonly number[];
}

/** A table in a box that scrolls sideways, which the keyboard reaches. */
export function table({ caption, columns, rows, textColumns = [0] }: TableContent): HTMLElement {
    const kind = (at: number) => (textColumns.includes(at) ? undefined : "figure");
    return element(
        "div",
        { class: "table", role: "region", "aria-label": caption, tabindex: "0" },
        element(
            "table",
            {},
            element("caption", {}, caption),
            element(
                "thead",
                {},
                element(
                    "tr",
                    {},
                    ...columns.map((name, at) =>
                        element("th", { scope: "col", class: kind(at) }, name),
                    ),
                ),
            ),
            element(
                "tbody",
                {},
                ...rows.map((row) =>
                    element(
                        "tr",
                        {},
                        ...row.map((cell, at) =>
                            element(
                                at === 0 ? "th" : "td",
                                { scope: at === 0 ? "row" : undefined, class: kind(at) },
                                write(cell),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    );
}

function write(cell: string | Cell): Child {
    if (typeof cell === "string") return cell;
    const { text, href, label } = cell;
    return href === undefined ? text : element("a", { href, "aria-label": label }, text);
}
