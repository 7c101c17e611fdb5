import type { Figure, ImpactView, SeriesName } from "../../impact/view.ts";
import type { CardContent } from "../figure.ts";
import type { PlotContent, PlotLine } from "../plots.ts";

/** Reports that can be opened. */
export interface Archive {
    readonly reports: readonly {
        readonly day: string;
        readonly state: string;
        readonly hitRate: Figure;
        readonly netDollars: Figure;
        readonly recommendations: number;
    }[];
    readonly months: readonly string[];
}

/** A part of the page. Its plots stay when its figures change, so that focus and open tables do. */
export interface SectionContent {
    readonly title: string;
    /** Whether it is hidden if nothing was measured in the range. */
    readonly needsData?: true;
    readonly intro?: (view: ImpactView) => string;
    readonly cards?: (view: ImpactView) => readonly CardContent[];
    readonly plots?: readonly ((view: ImpactView) => Omit<PlotContent, "from" | "to" | "events">)[];
    readonly more?: (view: ImpactView, archive: Archive) => readonly HTMLElement[];
}

/** Rows of a table that are shown at once. */
export const MAX_LISTED = 12;

export const capitalize = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

export const line = (
    { series }: ImpactView,
    name: SeriesName,
    label: string,
    colour: number,
    rest: Partial<PlotLine> = {},
): PlotLine => ({ label, values: series.values[name], colour, ...rest });

/** Numbers of the colours of lines, by the colour that their names begin with. */
const COLOURS: Readonly<Record<string, readonly number[]>> = { blue: [1, 4, 7], green: [3, 5, 2] };

/** Lines of values by name: colours, or versions of colours. */
export function linesOf(
    values: Readonly<Record<string, readonly Figure[]>>,
    rest: Partial<PlotLine> = {},
): readonly PlotLine[] {
    const used = new Map<string, number>();
    return Object.entries(values).map(([label, list]) => {
        const [name = ""] = label.split(" ");
        const at = used.get(name) ?? 0;
        used.set(name, at + 1);
        const numbers = COLOURS[name] ?? [6];
        return { label, values: list, colour: numbers[at % numbers.length] ?? 6, ...rest };
    });
}

export const figure = (
    title: string,
    value: Figure,
    format: (value: Figure) => string,
    note: string,
    unknown: string,
): CardContent => ({
    title,
    value: format(value),
    note: value === null ? unknown : note,
    isUnknown: value === null,
});

export function sum(...figures: readonly Figure[]): Figure {
    return figures.reduce((all, one) => (all === null || one === null ? null : all + one), 0);
}

export const divide = (part: Figure, whole: Figure): Figure =>
    part === null || whole === null || whole === 0 ? null : part / whole;

/** Points of different lengths, such as the latest one, are compared by their rates. */
export const perHour = ({ series: { seconds } }: ImpactView, one: PlotLine): PlotLine => ({
    ...one,
    values: one.values.map((value, at) =>
        divide(value === null ? null : value * 3_600, seconds[at] ?? 0),
    ),
});
