/** Time to parse `SAMPLE` on the machine for which limits in milliseconds are defined. */
const SAMPLE_MILLISECONDS = 5;
const SAMPLE = JSON.stringify(
    Array.from({ length: 20_000 }, (_, at) => ({ at, text: `text ${at}` })),
);
const ROUNDS = 3;

/**
 * CPU time of this thread, which other load on the machine barely affects. A garbage collection may fall into
 * a run, so a slow run is repeated and the minimum of three counts.
 *
 * @param enough milliseconds below which one run is sufficient
 * @returns milliseconds, scaled to the reference machine if this one is slower
 */
export function cpuMilliseconds(enough: number, run: () => unknown): number {
    let least = Infinity;
    for (let round = 0; round < ROUNDS && least >= enough; round += 1) {
        const spent = threadMilliseconds(run);
        least = Math.min(least, spent < enough ? spent : spent / slowness());
    }
    return least;
}

/** CPU time of the longest turn of the event loop while something runs, to a millisecond or two. */
export async function longestTurnMilliseconds(run: () => Promise<unknown>): Promise<number> {
    let longest = 0;
    let before = process.threadCpuUsage();
    const measure = (): void => {
        longest = Math.max(longest, millisecondsSince(before));
        before = process.threadCpuUsage();
    };
    const timer = setInterval(measure, 1);
    await run();
    measure();
    clearInterval(timer);
    return longest;
}

/** How many times slower this machine is now, at least 1: measured by similar work. */
export function slowness(): number {
    const rounds = Array.from({ length: ROUNDS }, () => threadMilliseconds(parseSample));
    return Math.max(1, Math.min(...rounds) / SAMPLE_MILLISECONDS);
}

function parseSample(): unknown {
    return JSON.parse(SAMPLE);
}

function threadMilliseconds(run: () => unknown): number {
    const before = process.threadCpuUsage();
    run();
    return millisecondsSince(before);
}

function millisecondsSince(before: NodeJS.CpuUsage): number {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
}
