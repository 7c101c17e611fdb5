/**
 * Milliseconds since the Unix epoch by the clock that the process started with: monotonic, so that a
 * step of the system's clock neither ends nor prolongs the life of an entry.
 */
export function wallClock(): number {
    return performance.timeOrigin + performance.now();
}
