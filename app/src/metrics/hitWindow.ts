export interface Totals {
    readonly hits: number;
    readonly lookups: number;
}

/** Hit rate of the last minutes, for the human-readable gauge. */
export interface HitWindow {
    /** Percent 0–100; NaN without lookups. */
    readonly percent: () => number;
    /** Called every ten seconds. */
    readonly tick: () => void;
}

/** Slots of 10 s: five minutes. */
const SLOTS = 30;

/** @param totals since process start, read every ten seconds, so that requests have no overhead */
export function createHitWindow(totals: () => Totals): HitWindow {
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

/** @returns the window, with a timer that does not keep the process alive */
export function startHitWindow(totals: () => Totals): Pick<HitWindow, "percent"> {
    const window = createHitWindow(totals);
    setInterval(window.tick, 10_000).unref();
    return window;
}
