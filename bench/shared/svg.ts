/**
 * Okabe and Ito's colours, which colour-blind readers can tell apart; two of them are lighter on a dark background.
 * Each series has a shape, too.
 */
export const COLOURS = [
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#777777",
];
const DARK_COLOURS = ["#4da6e0", "#ff8a3d", "#2cc79a", "#e59cc6", "#f0b93a", "#8fd0f5", "#a8a8a8"];
/** Style of a plot, for light and dark pages; a series has the class s0, s1, … */
export const STYLE = `<style>
text { fill: #24292f }
.background { fill: #fff }
.axis { stroke: #57606a }
.grid { stroke: #d8dee4 }
.budget { stroke: #57606a; stroke-dasharray: 5 4 }
${rulesOf(COLOURS)}
@media (prefers-color-scheme: dark) {
text { fill: #d1d7e0 }
.background { fill: #0d1117 }
.axis { stroke: #9198a1 }
.grid { stroke: #2a3038 }
.budget { stroke: #9198a1 }
${rulesOf(DARK_COLOURS)}
}
</style>`;
const RADIUS = 4.5;

/** Lines and marks of a series. */
function rulesOf(colours: readonly string[]): string {
    return colours
        .map((colour, at) => `.s${at} { stroke: ${colour}; fill: ${colour} }`)
        .concat(".line { fill: none; stroke-width: 1.6 }")
        .join("\n");
}

/** A circle, square, diamond or triangle. */
export function mark(series: number, x: number, y: number, colour: string): string {
    const r = RADIUS;
    const corners = [
        undefined,
        [-r, -r, r, -r, r, r, -r, r],
        [0, -r - 1, r + 1, 0, 0, r + 1, -r - 1, 0],
        [0, -r - 1, r + 1, r, -r - 1, r],
    ][series % 4];
    if (!corners) return `<circle cx="${round(x)}" cy="${round(y)}" r="${r}" class="${colour}"/>`;
    const points = corners.map((corner, at) => round(corner + (at % 2 === 0 ? x : y)));
    return `<polygon points="${points.join(" ")}" class="${colour}"/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
    return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`;
}

export function text(x: number, y: number, content: string, anchor: string, size: number): string {
    return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${escape(content)}</text>`;
}

export function escape(content: string): string {
    return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

export function round(value: number): number {
    return Math.round(value * 10) / 10;
}

/** @returns the next larger number with one digit */
export function niceMax(value: number): number {
    const unit = 10 ** Math.floor(Math.log10(value));
    return Math.ceil(value / unit - 1e-9) * unit;
}
