export interface PersistenceOptions {
    /** Minimum duration of the state. */
    readonly milliseconds: number;
    /** Longest interruption that is ignored. Default: 15,000 */
    readonly gapMilliseconds?: number;
}

/**
 * Detects a state that persists despite short interruptions: a pod whose image pull or container start is retried is in
 * another state for a moment.
 *
 * @returns a function that takes each observation of the state and returns whether it persists
 */
export function createPersistenceCheck({
    milliseconds,
    gapMilliseconds = 15_000,
}: PersistenceOptions): (isPresent: boolean, now?: number) => boolean {
    let [since, lastAt] = [Infinity, -Infinity];
    return (isPresent, now = Date.now()) => {
        if (!isPresent) return false;
        if (now - lastAt > gapMilliseconds) since = now;
        lastAt = now;
        return now - since >= milliseconds;
    };
}
