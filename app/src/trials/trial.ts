/**
 * What is known of the entries of one build over one model. A build of which nothing is known is trusted.
 * Times are milliseconds since the epoch.
 */
export interface Trial {
    /** Digest of the build, as its entries hold it: see `writerOf`. */
    readonly writer: string;
    /** `trial`: nobody but the build itself serves what it made since then. `promoted`: everybody does. */
    readonly state: "trial" | "promoted";
    /** The release that it belongs to: the same one again is the same trial. */
    readonly release: string;
    readonly actor: string;
    readonly reason: string;
    /** When it was ordered: of two records of one build the later one holds. */
    readonly at: number;
    /** Entries made from then on are those of this trial; older ones are what they were before it. */
    readonly since: number;
    /** Trials that were not promoted: what was made in them is served by nobody. */
    readonly failed: readonly Span[];
    /** From then on no entry of this build can be alive, and the record ends. */
    readonly until: number;
}

export interface Span {
    readonly from: number;
    readonly to: number;
}

/** What is wanted of a build's entries, by whom and why. */
export interface Order {
    readonly writer: string;
    readonly release: string;
    readonly actor: string;
    readonly reason: string;
    readonly now: number;
    /** The record is kept until then at least. */
    readonly until: number;
}

export class OtherRelease extends Error {
    constructor({ release }: Trial) {
        super(`the trial is that of the release ${JSON.stringify(release)}`);
        this.name = "OtherRelease";
    }
}

/** @returns why an entry of the record's build is not served by other builds; undefined: it is */
export function doubtOf(
    { state, since, failed }: Trial,
    createdAt: number,
): "quarantined" | "not_promoted" | undefined {
    if (failed.some(({ from, to }) => createdAt >= from && createdAt < to)) return "not_promoted";
    // A time that is no number is in doubt, too.
    return state === "trial" && !(createdAt < since) ? "quarantined" : undefined;
}

/**
 * Of a build that nobody knows, all entries are on trial: whoever could send it a request before could
 * make it write. Of one that was promoted, those made until now stay trusted.
 *
 * @param since entries made from then on are on trial, where it is not from now on
 */
export function begun(before: Trial | undefined, order: Order, since?: number): Trial {
    const running = before?.state === "trial" ? before : undefined;
    if (running?.release === order.release) return kept(running, order);
    const at = timeOf(before, order);
    return {
        ...recordOf(before, order),
        state: "trial",
        at,
        since: since ?? (before ? at : 0),
        failed: [...(before?.failed ?? []), ...(running ? [{ from: running.since, to: at }] : [])],
    };
}

/**
 * Ends a trial well. A build that nobody knows is trusted from now on: its next trial leaves the entries
 * that it has as they are.
 *
 * @throws OtherRelease when the trial that runs is another one's
 */
export function promoted(before: Trial | undefined, order: Order): Trial {
    if (before?.state === "promoted") return kept(before, order);
    if (before && before.release !== order.release) throw new OtherRelease(before);
    return {
        ...recordOf(before, order),
        state: "promoted",
        at: timeOf(before, order),
        since: before?.since ?? 0,
        failed: before?.failed ?? [],
    };
}

/** Whether the first holds where both are known: what was ordered later, and then what is kept longer. */
export function isLater(one: Trial, other: Trial | undefined): boolean {
    if (!other) return true;
    return one.at === other.at ? one.until > other.until : one.at > other.at;
}

/** @returns the record, kept until then at least */
export function kept(trial: Trial, { until }: Pick<Order, "until">): Trial {
    return until > trial.until ? { ...trial, until } : trial;
}

function recordOf(before: Trial | undefined, { writer, release, actor, reason, until }: Order) {
    return { writer, release, actor, reason, until: Math.max(before?.until ?? 0, until) };
}

/** Later than before, also where the pod that was asked then has a clock that is ahead of this one's. */
function timeOf(before: Trial | undefined, { now }: Order): number {
    return Math.max(now, (before?.at ?? 0) + 1);
}
