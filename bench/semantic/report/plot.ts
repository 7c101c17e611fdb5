import { COLOURS, escape, line, mark, niceMax, round, STYLE, text } from "../../shared/svg.ts";
import type { Estimate } from "../statistics.ts";

/** A point with its intervals; shares in [0, 1]. */
export interface Point {
    readonly x: Estimate;
    readonly y: Estimate;
}

export interface Series {
    readonly name: string;
    readonly points: readonly Point[];
    /** Whether the points are joined. */
    readonly isLine: boolean;
}

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 64, right: 210, top: 44, bottom: 52 };
const TICKS = 5;
/** Errors above it are shown at the edge. */
const MAX_ERROR = 0.08;

/** @returns an SVG of semantic answers (y) against their error (x), with the budget as a vertical line */
export function plotErrors(title: string, series: readonly Series[], budget: number): string {
    const all = series.flatMap(({ points }) => points.filter(isShown));
    const maxX = niceMax(Math.min(MAX_ERROR, Math.max(2 * budget, ...all.map(({ x }) => x.mean))));
    const maxY = niceMax(Math.max(0.01, ...all.map(({ y }) => y.mean)));
    const left = (x: number): number =>
        MARGIN.left + (Math.min(x, maxX) / maxX) * (WIDTH - MARGIN.left - MARGIN.right);
    const top = (y: number): number =>
        HEIGHT - MARGIN.bottom - (Math.min(y, maxY) / maxY) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    const bottom = top(0);
    const parts = [text(MARGIN.left, 24, title, "start", 15)];
    for (let tick = 0; tick <= TICKS; tick += 1) {
        const [x, y] = [(maxX * tick) / TICKS, (maxY * tick) / TICKS];
        if (tick > 0) parts.push(line(left(0), top(y), left(maxX), top(y), "grid"));
        const beyond = tick === TICKS && all.some((point) => point.x.mean > maxX) ? "≥ " : "";
        parts.push(text(left(x), bottom + 18, beyond + percent(x), "middle", 12));
        parts.push(text(left(0) - 8, top(y) + 4, percent(y), "end", 12));
    }
    parts.push(
        line(left(0), bottom, left(maxX), bottom, "axis"),
        line(left(0), bottom, left(0), top(maxY), "axis"),
        line(left(budget), bottom, left(budget), top(maxY), "budget"),
        text(left(budget) + 5, top(maxY) - 6, `δ = ${percent(budget)}`, "start", 12),
        text((left(0) + left(maxX)) / 2, HEIGHT - 12, "wrong answers per answer", "middle", 13),
        `<g transform="rotate(-90 16 ${(bottom + top(maxY)) / 2})">${text(16, (bottom + top(maxY)) / 2, "answers per request", "middle", 13)}</g>`,
    );
    series.forEach(({ name, points, isLine }, at) => {
        const colour = `s${at % COLOURS.length}`;
        const shown = points.filter(isShown);
        if (isLine && shown.length > 1) {
            const path = shown.map(({ x, y }) => `${round(left(x.mean))},${round(top(y.mean))}`);
            parts.push(`<polyline points="${path.join(" ")}" fill="none" class="${colour} line"/>`);
        }
        for (const { x, y } of shown) {
            if (Number.isFinite(x.low))
                parts.push(line(left(x.low), top(y.mean), left(x.high), top(y.mean), colour));
            if (Number.isFinite(y.low))
                parts.push(line(left(x.mean), top(y.low), left(x.mean), top(y.high), colour));
            parts.push(mark(at, left(x.mean), top(y.mean), colour));
        }
        const legend = MARGIN.top + 20 * at + 8;
        const legendLeft = WIDTH - MARGIN.right + 20;
        parts.push(mark(at, legendLeft, legend - 4, colour));
        parts.push(text(legendLeft + 12, legend, name, "start", 12));
    });
    const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" role="img">`;
    const background = `<rect width="${WIDTH}" height="${HEIGHT}" class="background"/>`;
    return `${[head, `<title>${escape(title)}</title>`, STYLE, background, ...parts].join("\n")}\n</svg>\n`;
}

/** A method without answers has no error. */
function isShown({ x, y }: Point): boolean {
    return Number.isFinite(x.mean) && Number.isFinite(y.mean);
}

function percent(share: number): string {
    return `${Number((share * 100).toPrecision(2))} %`;
}
