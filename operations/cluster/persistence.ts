export interface LastingOptions {
    /** How long the state must have been there. */
    readonly milliseconds: number;
    /** For how long it may be away in between. Default: 15,000 */
    readonly gapMilliseconds?: number;
}

/**
 * Tells of a state that comes and goes whether it lasts: a pod whose image is pulled once more, or whose container is
 * started once more, is in another state for a moment.
 *
 * @returns a function that is told with each look whether the state is there
 */
export function lasting({
    milliseconds,
    gapMilliseconds = 15_000,
}: LastingOptions): (isThere: boolean, now?: number) => boolean {
    let [since, seen] = [Infinity, -Infinity];
    return (isThere, now = Date.now()) => {
        if (!isThere) return false;
        if (now - seen > gapMilliseconds) since = now;
        seen = now;
        return now - since >= milliseconds;
    };
}
