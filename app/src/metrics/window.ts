export interface Totals {
    readonly hits: number;
    readonly lookups: number;
}

/** Share of hits over the last minutes, for the gauge that people look at. */
export interface HitWindow {
    /** Percent 0–100; NaN while nothing was looked up, since neither 0 nor 100 would be true. */
    readonly percent: () => number;
    /** Ten seconds have gone by. */
    readonly tick: () => void;
}

/** Of 10 s each: five minutes. */
const SLOTS = 30;

/** @param totals since the process began; they are read each ten seconds, so that a request costs nothing here. */
export function hitWindow(totals: () => Totals): HitWindow {
    const ring: Totals[] = [totals()];
    return {
        percent: () => {
            const now = totals();
            const then = ring[0] ?? now;
            return (100 * (now.hits - then.hits)) / (now.lookups - then.lookups);
        },
        tick: () => {
            ring.push(totals());
            if (ring.length > SLOTS) ring.shift();
        },
    };
}

/** @returns the window with its clock, which keeps no process alive. */
export function runningHitWindow(totals: () => Totals): Pick<HitWindow, "percent"> {
    const window = hitWindow(totals);
    setInterval(window.tick, 10_000).unref();
    return window;
}
