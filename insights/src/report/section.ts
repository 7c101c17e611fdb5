import type { Figure } from "../analysis/report.ts";

/** A section of the report, which HTML and Markdown write in their own way. */
export interface Section {
    readonly title: string;
    readonly text?: readonly string[];
    readonly list?: readonly string[];
    readonly chart?: Chart;
    readonly tables?: readonly Table[];
}

export interface Table {
    readonly caption: string;
    /** The first column is text, the others are figures unless `isText`. */
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
    readonly isText?: true;
}

export interface Chart {
    readonly title: string;
    /** Null: no data. */
    readonly points: readonly {
        readonly label: string;
        readonly value: Figure;
        readonly text: string;
    }[];
}

/** A table with a row for each item. `columns` write the cells. */
export const tableOf = <T>(
    caption: string,
    items: readonly T[],
    columns: Readonly<Record<string, (item: T) => string>>,
): Table => ({
    caption,
    columns: Object.keys(columns),
    rows: items.map((item) => Object.values(columns).map((write) => write(item))),
});
