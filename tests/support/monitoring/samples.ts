/** A level and for how many minutes it holds. */
export type Span = readonly [level: number, minutes: number];

/** The pod restarts: its counters start at 0. */
export const RESET = "reset";
/** From here on nothing exports the series. */
export const STALE = "gone";

/** @returns promtool's notation of a gauge, a sample each `step` seconds. */
export function gauge(spans: readonly (Span | typeof STALE)[], step = 15): string {
    return spans
        .map((span) => (span === STALE ? "stale" : `${span[0]}+0x${samples(span[1], step) - 1}`))
        .join(" ");
}

/** @returns promtool's notation of a counter that grows by `level` a second. */
export function counter(spans: readonly (Span | typeof RESET | typeof STALE)[], step = 15): string {
    let total = 0;
    return spans
        .flatMap((span) => {
            if (span === STALE) return ["stale"];
            if (span === RESET) {
                total = 0;
                return [];
            }
            const [perSecond, minutes] = span;
            const count = samples(minutes, step);
            const from = total;
            total += perSecond * step * count;
            return [`${from}+${perSecond * step}x${count - 1}`];
        })
        .join(" ");
}

function samples(minutes: number, step: number): number {
    return Math.round((minutes * 60) / step);
}
