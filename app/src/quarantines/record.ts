/**
 * Quarantine state of the entries of one build and model. Builds without a record are trusted. Times are
 * milliseconds since the Unix epoch.
 */
export interface QuarantineRecord {
    /** ID of the build, as in its entries: see `buildIdOf`. */
    readonly buildId: string;
    /** `quarantined`: only the build itself serves entries made since `since`. `promoted`: all builds do. */
    readonly state: "quarantined" | "promoted";
    /** Release of the quarantine. A repeated request of the same release has no effect. */
    readonly release: string;
    readonly actor: string;
    readonly reason: string;
    /** Time of the change. Of two records of one build, the later one is valid. */
    readonly changedAt: number;
    /** Entries made from then on belong to this quarantine; the state of older entries is unchanged. */
    readonly since: number;
    /** Quarantines that were not promoted. No build serves their entries. */
    readonly rejected: readonly Period[];
    /** Expiry of the record: no entry of this build outlives it. */
    readonly expiresAt: number;
}

export interface Period {
    readonly from: number;
    readonly to: number;
}

/** A requested change of a quarantine, with its author and reason. */
export interface QuarantineChange {
    readonly buildId: string;
    readonly release: string;
    readonly actor: string;
    readonly reason: string;
    readonly now: number;
    /** Minimum expiry of the record. */
    readonly expiresAt: number;
}

export class OtherReleaseError extends Error {
    constructor({ release }: QuarantineRecord) {
        super(`the build is quarantined by the release ${JSON.stringify(release)}`);
        this.name = "OtherReleaseError";
    }
}

/** @returns why other builds do not serve an entry of the record's build, or undefined if they do */
export function quarantineReason(
    { state, since, rejected }: QuarantineRecord,
    createdAt: number,
): "quarantined" | "not_promoted" | undefined {
    if (rejected.some(({ from, to }) => createdAt >= from && createdAt < to)) return "not_promoted";
    // Invalid times count as quarantined.
    return state === "quarantined" && !(createdAt < since) ? "quarantined" : undefined;
}

/**
 * Quarantines a build. All entries of an unknown build are quarantined, because earlier requests could have
 * made it write some. Earlier entries of a promoted build stay trusted.
 *
 * @param since start of the quarantine, if not now
 */
export function startQuarantine(
    before: QuarantineRecord | undefined,
    change: QuarantineChange,
    since?: number,
): QuarantineRecord {
    const running = before?.state === "quarantined" ? before : undefined;
    if (running?.release === change.release) return extendTo(running, change);
    const at = nextChangeTime(before, change);
    return {
        ...baseRecord(before, change),
        state: "quarantined",
        changedAt: at,
        since: since ?? (before ? at : 0),
        rejected: [
            ...(before?.rejected ?? []),
            ...(running ? [{ from: running.since, to: at }] : []),
        ],
    };
}

/**
 * Promotes a build. An unknown build becomes trusted: a later quarantine does not affect its existing
 * entries.
 *
 * @throws OtherReleaseError if another release has quarantined the build
 */
export function endQuarantine(
    before: QuarantineRecord | undefined,
    change: QuarantineChange,
): QuarantineRecord {
    if (before?.state === "promoted") return extendTo(before, change);
    if (before && before.release !== change.release) throw new OtherReleaseError(before);
    return {
        ...baseRecord(before, change),
        state: "promoted",
        changedAt: nextChangeTime(before, change),
        since: before?.since ?? 0,
        rejected: before?.rejected ?? [],
    };
}

/** Whether the first record takes precedence: the later change, or at the same time the later expiry. */
export function isLater(one: QuarantineRecord, other: QuarantineRecord | undefined): boolean {
    if (!other) return true;
    return one.changedAt === other.changedAt
        ? one.expiresAt > other.expiresAt
        : one.changedAt > other.changedAt;
}

/** @returns the record with at least this expiry */
export function extendTo(
    record: QuarantineRecord,
    { expiresAt }: Pick<QuarantineChange, "expiresAt">,
): QuarantineRecord {
    return expiresAt > record.expiresAt ? { ...record, expiresAt } : record;
}

function baseRecord(
    before: QuarantineRecord | undefined,
    { buildId, release, actor, reason, expiresAt }: QuarantineChange,
) {
    return {
        buildId,
        release,
        actor,
        reason,
        expiresAt: Math.max(before?.expiresAt ?? 0, expiresAt),
    };
}

/** Later than the previous change, even if the clock of the pod that made it is ahead. */
function nextChangeTime(before: QuarantineRecord | undefined, { now }: QuarantineChange): number {
    return Math.max(now, (before?.changedAt ?? 0) + 1);
}
