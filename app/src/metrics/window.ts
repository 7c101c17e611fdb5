/** Share of hits over the last minutes, for the gauge that people look at. */
export interface HitWindow {
    readonly add: (hits: number, lookups: number) => void;
    /** Percent 0–100; NaN while nothing was looked up, since neither 0 nor 100 would be true. */
    readonly percent: () => number;
}

const SLOTS = 30;
const SLOT_SECONDS = 10;

interface Slot {
    epoch: number;
    hits: number;
    lookups: number;
}

/** A ring of 30 slots of 10 s: five minutes. `now` is in milliseconds. */
export function hitWindow(now: () => number): HitWindow {
    const ring: Slot[] = Array.from({ length: SLOTS }, () => ({ epoch: -1, hits: 0, lookups: 0 }));
    const epochNow = (): number => Math.floor(now() / (SLOT_SECONDS * 1000));
    return {
        add: (hits, lookups) => {
            const epoch = epochNow();
            const slot = ring[epoch % SLOTS];
            if (!slot) return;
            if (slot.epoch !== epoch) Object.assign(slot, { epoch, hits: 0, lookups: 0 });
            slot.hits += hits;
            slot.lookups += lookups;
        },
        percent: () => {
            const oldest = epochNow() - SLOTS;
            const recent = ring.filter(({ epoch }) => epoch > oldest);
            const hits = recent.reduce((sum, slot) => sum + slot.hits, 0);
            const lookups = recent.reduce((sum, slot) => sum + slot.lookups, 0);
            return (100 * hits) / lookups;
        },
    };
}
