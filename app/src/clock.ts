/** What this pod's clock is behind the one that all pods share, in milliseconds. */
let offsetMilliseconds = 0;

/**
 * Milliseconds since the Unix epoch, by the clock at process start plus monotonic time. A step of the system
 * clock neither shortens nor extends the lifetime of entries. It is corrected to Redis' clock (sharedClock.ts), since
 * pods compare the times that others wrote.
 */
export function wallClock(): number {
    return uncorrectedClock() + offsetMilliseconds;
}

/** The same without the correction. */
export function uncorrectedClock(): number {
    return performance.timeOrigin + performance.now();
}

/** @returns a time of `wallClock()` in a thread, which has no correction */
export function toThreadTime(time: number): number {
    return time - offsetMilliseconds;
}

export const clockOffset = (): number => offsetMilliseconds;

/** Affects all of this process. */
export function setClockOffset(milliseconds: number): void {
    offsetMilliseconds = milliseconds;
}
