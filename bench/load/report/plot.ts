import { COLOURS, escape, line, niceMax, round, STYLE, text } from "../../shared/svg.ts";

export interface Line {
    readonly name: string;
    readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
    readonly title: string;
    readonly xLabel: string;
    readonly yLabel: string;
    readonly lines: readonly Line[];
    /** A horizontal line, such as a goal. */
    readonly limit?: { readonly y: number; readonly name: string };
    /** Default: the values themselves. */
    readonly xTicks?: readonly (readonly [x: number, name: string])[];
    /** Whether y is logarithmic; its values are then at least 0.1. */
    readonly isLog?: boolean;
}

const WIDTH = 760;
const HEIGHT = 300;
const MARGIN = { left: 64, right: 150, top: 40, bottom: 48 };
const TICKS = 5;
const LEAST_LOG = 0.1;

/** @returns a line chart as SVG, without anything from elsewhere */
export function plotLines(options: PlotOptions): string {
    const { title, xLabel, yLabel, lines, limit, isLog = false } = options;
    const points = lines.flatMap((one) => one.points);
    const maxX = Math.max(
        1e-9,
        ...points.map(([x]) => x),
        ...(options.xTicks ?? []).map(([x]) => x),
    );
    const highest = Math.max(0, ...points.map(([, y]) => y), limit?.y ?? 0);
    const maxY = isLog ? 10 ** Math.ceil(Math.log10(Math.max(1, highest))) : niceMax(highest || 1);
    const [right, bottom] = [WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
    const left = (x: number): number => MARGIN.left + (x / maxX) * (right - MARGIN.left);
    const share = (y: number): number =>
        isLog
            ? Math.log10(Math.max(LEAST_LOG, y) / LEAST_LOG) / Math.log10(maxY / LEAST_LOG)
            : y / maxY;
    const top = (y: number): number => bottom - share(y) * (bottom - MARGIN.top);
    const parts = [text(MARGIN.left, 22, title, "start", 15)];
    for (const y of isLog ? decades(maxY) : equalSteps(maxY)) {
        parts.push(line(MARGIN.left, top(y), right, top(y), "grid"));
        parts.push(text(MARGIN.left - 8, top(y) + 4, `${Number(y.toPrecision(3))}`, "end", 12));
    }
    const ticks =
        options.xTicks ?? equalSteps(maxX).map((x) => [x, `${Number(x.toPrecision(3))}`] as const);
    for (const [x, name] of ticks) parts.push(text(left(x), bottom + 18, name, "middle", 12));
    parts.push(
        line(MARGIN.left, bottom, right, bottom, "axis"),
        line(MARGIN.left, bottom, MARGIN.left, MARGIN.top, "axis"),
        text((MARGIN.left + right) / 2, HEIGHT - 8, xLabel, "middle", 13),
        `<g transform="rotate(-90 16 ${(bottom + MARGIN.top) / 2})">${text(16, (bottom + MARGIN.top) / 2, yLabel, "middle", 13)}</g>`,
    );
    if (limit) {
        parts.push(line(MARGIN.left, top(limit.y), right, top(limit.y), "budget"));
        parts.push(text(right - 6, top(limit.y) - 5, limit.name, "end", 12));
    }
    lines.forEach(({ name, points: own }, at) => {
        const colour = `s${at % COLOURS.length}`;
        const path = own.map(([x, y]) => `${round(left(x))},${round(top(y))}`).join(" ");
        parts.push(`<polyline points="${path}" fill="none" class="${colour} line"/>`);
        const nameTop = MARGIN.top + 18 * at + 8;
        parts.push(line(right + 8, nameTop - 4, right + 24, nameTop - 4, colour));
        parts.push(text(right + 30, nameTop, name, "start", 12));
    });
    const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" role="img">`;
    const background = `<rect width="${WIDTH}" height="${HEIGHT}" class="background"/>`;
    return [head, `<title>${escape(title)}</title>`, STYLE, background, ...parts, "</svg>"].join(
        "\n",
    );
}

const equalSteps = (max: number): number[] =>
    Array.from({ length: TICKS + 1 }, (_, tick) => (max * tick) / TICKS);

function decades(max: number): number[] {
    const found: number[] = [];
    for (let y = LEAST_LOG; y <= max * 1.001; y *= 10) found.push(y);
    return found;
}
