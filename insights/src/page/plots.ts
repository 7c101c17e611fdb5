import uPlot from "uplot";
import type { EventKind } from "../impact/bin.ts";
import type { Figure } from "../impact/view.ts";
import { element, table } from "./elements.ts";
import { formatPeriod, formatTick } from "./words.ts";

export interface PlotLine {
    readonly label: string;
    readonly values: readonly Figure[];
    /** Number of its colour, 1 to 7. */
    readonly colour: number;
    readonly isFilled?: boolean;
    readonly isDashed?: boolean;
    readonly isStepped?: boolean;
}

export interface PlotContent {
    readonly title: string;
    /** One sentence below the title. */
    readonly note: string;
    /** Begin and end of each point, in Unix seconds. */
    readonly from: readonly number[];
    readonly to: readonly number[];
    readonly lines: readonly PlotLine[];
    readonly format: (value: Figure) => string;
    /** Lines lie on one another; null is then the absence of all. */
    readonly isStacked?: boolean;
    /** Highest value of the axis, such as 1 for shares. Default: that of the data */
    readonly max?: number;
    readonly events: readonly PlotEvent[];
}

export interface PlotEvent {
    /** Unix seconds. */
    readonly seconds: number;
    readonly kind: EventKind;
    readonly text: string;
}

export interface Plot {
    readonly root: HTMLElement;
    readonly update: (content: PlotContent) => void;
    readonly redraw: () => void;
}

const HEIGHT = 220;
const CURSOR = "impact";
/** Colours of the lines of events; those of pods would hide the plot. */
const EVENT_COLOURS: Readonly<Partial<Record<EventKind, string>>> = {
    release: "--event-release",
    experiment: "--event-experiment",
    tuning: "--event-tuning",
};

/** A plot with its legend, which has the values at the cursor, and with a table of the same figures. */
export function createPlot(): Plot {
    const title = element("h3");
    const note = element("p", { class: "note" });
    const legend = element("ul", { class: "legend" });
    const period = element("p", { class: "period" });
    const canvas = element("div", { class: "canvas", role: "slider", tabindex: "0" });
    const rows = element("details", {}, element("summary", {}, "Show as a table"));
    const root = element("section", { class: "plot" }, title, note, canvas, legend, period, rows);
    let content: PlotContent | undefined;
    let plot: uPlot | undefined;
    let shape = "";

    function update(next: PlotContent): void {
        content = next;
        const data = dataOf(next);
        title.textContent = next.title;
        note.textContent = next.note;
        canvas.setAttribute("aria-label", `${next.title}: arrow keys read its points`);
        const newShape = JSON.stringify([
            next.lines.map(({ label }) => label),
            next.isStacked,
            next.max,
        ]);
        if (plot === undefined || shape !== newShape) {
            plot?.destroy();
            plot = new uPlot(
                optionsOf(next, () => content, showPoint),
                data,
                canvas,
            );
            shape = newShape;
            resize();
        } else {
            plot.setData(data);
        }
        showPoint(plot.cursor.idx ?? undefined);
        writeRows();
    }

    function resize(): void {
        const width = canvas.clientWidth;
        if (plot && width > 0 && plot.width !== width) plot.setSize({ width, height: HEIGHT });
    }

    /** @param at index of the point; undefined: the latest with a value */
    function showPoint(at: number | undefined): void {
        if (!content) return;
        const { from, to, lines, format } = content;
        const isKnown = (index: number) => lines.some(({ values }) => isNumber(values[index]));
        const latest = from.findLastIndex((_, index) => isKnown(index));
        const index = at ?? latest;
        const items = lines.map(({ label, values, colour }) =>
            element(
                "li",
                {},
                element("span", { class: `swatch colour-${colour}`, "aria-hidden": "true" }),
                `${label} `,
                element("b", {}, index < 0 ? "no data" : formatOrGap(format, values[index])),
            ),
        );
        legend.replaceChildren(...items);
        const when =
            index < 0 ? "no data in this time" : formatPeriod(from[index] ?? 0, to[index] ?? 0);
        period.textContent = at === undefined && index >= 0 ? `Latest: ${when}` : when;
        canvas.setAttribute("aria-valuemin", "0");
        canvas.setAttribute("aria-valuemax", String(Math.max(0, from.length - 1)));
        canvas.setAttribute("aria-valuenow", String(Math.max(0, index)));
        const words = lines.map(
            ({ label, values }) => `${label} ${formatOrGap(format, values[index])}`,
        );
        canvas.setAttribute(
            "aria-valuetext",
            `${when}: ${index < 0 ? "no data" : words.join(", ")}`,
        );
    }

    function writeRows(): void {
        if (!content || !rows.open) return;
        const { title: caption, from, to, lines, format } = content;
        rows.querySelector(".table")?.remove();
        rows.append(
            table({
                caption,
                columns: ["Time", ...lines.map(({ label }) => label)],
                rows: from.map((begin, at) => [
                    formatPeriod(begin, to[at] ?? begin),
                    ...lines.map(({ values }) => formatOrGap(format, values[at])),
                ]),
            }),
        );
    }

    rows.addEventListener("toggle", writeRows);
    canvas.addEventListener("keydown", (event) => {
        if (!content || !plot) return;
        const last = content.from.length - 1;
        const current = plot.cursor.idx ?? last + 1;
        const target = {
            ArrowLeft: current - 1,
            ArrowDown: current - 1,
            ArrowRight: current + 1,
            ArrowUp: current + 1,
            PageDown: current - 10,
            PageUp: current + 10,
            Home: 0,
            End: last,
        }[event.key];
        if (target === undefined) return;
        event.preventDefault();
        const at = Math.min(last, Math.max(0, target));
        const left = plot.valToPos(plot.data[0][at] ?? 0, "x");
        plot.setCursor({ left, top: plot.over.clientHeight / 2 });
    });
    canvas.addEventListener("blur", () => plot?.setCursor({ left: -10, top: -10 }));
    new ResizeObserver(resize).observe(canvas);
    return { root, update, redraw: () => plot?.redraw() };
}

const isNumber = (value: Figure | undefined): value is number => typeof value === "number";

const formatOrGap = (format: PlotContent["format"], value: Figure | undefined): string =>
    isNumber(value) ? format(value) : "no data";

/** Middles of the points, and the values of each line; of a stack, the sums up to each line. */
function dataOf({ from, to, lines, isStacked = false }: PlotContent): uPlot.AlignedData {
    const x = from.map((begin, at) => (begin + (to[at] ?? begin)) / 2);
    if (!isStacked) return [x, ...lines.map(({ values }) => [...values])];
    const below = x.map(() => 0);
    const hasAny = (at: number) => lines.some(({ values }) => isNumber(values[at]));
    const sums = lines.map(({ values }) =>
        values.map((value, at) => {
            const sum = (below[at] ?? 0) + (value ?? 0);
            below[at] = sum;
            return hasAny(at) ? sum : null;
        }),
    );
    return [x, ...sums];
}

function optionsOf(
    { lines, isStacked = false, max, format }: PlotContent,
    current: () => PlotContent | undefined,
    onPoint: (at: number | undefined) => void,
): uPlot.Options {
    const axis = { stroke: () => colour("--soft"), font: "12px system-ui, sans-serif" };
    const grid = { stroke: () => colour("--line"), width: 1 };
    return {
        width: 600,
        height: HEIGHT,
        legend: { show: false },
        cursor: { sync: { key: CURSOR, setSeries: false }, drag: { x: false, y: false } },
        scales: {
            x: {
                time: true,
                // The whole range, whether it was measured or not.
                range: () => {
                    const { from = [], to = [] } = current() ?? {};
                    return [from[0] ?? 0, to.at(-1) ?? 1];
                },
            },
            y: {
                range: (_, low, high) => {
                    const top = max ?? high;
                    // Without any value, both are null.
                    if (!isNumber(top) || !isNumber(low)) return [0, max ?? 1];
                    const lowest = Math.min(0, low);
                    return [
                        lowest * 1.05,
                        top === lowest ? lowest + 1 : top * (max === undefined ? 1.05 : 1),
                    ];
                },
            },
        },
        axes: [
            {
                ...axis,
                grid,
                ticks: grid,
                size: 34,
                values: (_, splits, _axis, _space, step) =>
                    splits.map((one) => formatTick(one, step)),
            },
            {
                ...axis,
                grid,
                ticks: { show: false },
                size: 64,
                values: (_, splits) => splits.map((value) => format(value)),
            },
        ],
        series: [{}, ...lines.map((line) => seriesOf(line, isStacked))],
        ...(isStacked && {
            bands: lines.slice(1).map((_, at): uPlot.Band => ({ series: [at + 2, at + 1] })),
        }),
        hooks: {
            setCursor: [(plot) => onPoint(plot.cursor.idx ?? undefined)],
            drawClear: [(plot) => drawEvents(plot, current()?.events ?? [])],
        },
    };
}

function seriesOf(
    { label, colour: number, isFilled = false, isDashed = false, isStepped = false }: PlotLine,
    isStacked: boolean,
): uPlot.Series {
    const name = `--colour-${number}`;
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    return {
        label,
        stroke: () => colour(name),
        width: isStacked ? 1 : 2,
        ...(isStacked && { fill: () => `${colour(name)}cc` }),
        ...(isFilled && { fill: () => `${colour(name)}22` }),
        ...(isDashed && { dash: [6, 4] }),
        ...(isStepped && stepped && { paths: stepped }),
        points: { size: 5, ...(isStacked && { show: hasFewPoints }) },
    };
}

/** Fewer are no visible area. */
const hasFewPoints = ({ data }: uPlot): boolean => [...(data[1] ?? [])].filter(isNumber).length < 6;

/** Vertical lines at releases, experiments and decisions of the tuner. */
function drawEvents(plot: uPlot, events: readonly PlotEvent[]): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const { seconds, kind } of events) {
        const name = EVENT_COLOURS[kind];
        if (name === undefined) continue;
        const x = plot.valToPos(seconds, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = colour(name);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
    }
    ctx.restore();
}

/** Value of a CSS colour of the scheme in force, such as #0b62c4. */
function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
