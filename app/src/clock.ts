/**
 * Milliseconds since the Unix epoch, by the clock at process start plus monotonic time. A step of the system
 * clock neither shortens nor extends the lifetime of entries.
 */
export function wallClock(): number {
    return performance.timeOrigin + performance.now();
}
