import { RUNTIME_SETTINGS, UserError, type RuntimeSetting } from "@property-search/contract";
import type { Evidence } from "./evidence.ts";

export const SCHEMA = "property-search/tuning";
export const SCHEMA_VERSION = 1;

/** `off`: reverts tuned settings. `review`: proposes changes. `automatic`: makes them. */
export const MODES = ["off", "review", "automatic"] as const;
export type Mode = (typeof MODES)[number];

/**
 * `change` and `roll back` were made; `propose` is what would be made in automatic mode, and `keep` explains why there is no
 * change.
 */
export const ACTIONS = ["change", "roll back", "propose", "keep"] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * Of a change: `in force` until it was compared with its prediction, then `confirmed` or `rolled back`. `superseded`: another
 * value is in force, by a person, a deploy or the kill switch.
 */
export type Status =
    "in force" | "confirmed" | "rolled back" | "superseded" | "not applied" | "proposed" | "none";

/** What a change is expected to earn, from the day before it. */
export interface Prediction {
    /** Name of the figure, and its unit. */
    readonly figure: string;
    readonly unit: "dollars per day" | "share";
    /** Gain by the change. For the share: the share itself with the change. */
    readonly expected: number;
    /** The prediction fails if the measured figure is below the expected one by more than this. */
    readonly tolerance: number;
    /** A figure of the ghost caches, fetches or a share, by which another day's demand scales what is expected. */
    readonly modelled: number | null;
    /** RFC 3339: start of the first day that is compared. */
    readonly checkAfter: string;
}

/** The day that was compared with a prediction. */
export interface Measured {
    readonly day: string;
    /** The prediction at that day's demand and prices. */
    readonly figure: number;
    readonly holds: boolean;
}

export interface Decision {
    readonly id: string;
    /** RFC 3339 */
    readonly at: string;
    /** Day in UTC. */
    readonly day: string;
    readonly setting: RuntimeSetting;
    readonly action: Action;
    readonly from: number;
    /** Null: no change. */
    readonly to: number | null;
    /** One sentence. */
    readonly reason: string;
    readonly status: Status;
    readonly prediction: Prediction | null;
    readonly measured: Measured | null;
    /** One sentence about the comparison. */
    readonly outcome: string | null;
}

/** Terms that verified answers of semantic reuse show to mean the same, or not. */
export interface TermPairProposal {
    readonly terms: readonly [string, string];
    readonly kind: "synonym" | "opposite";
    /** Distinct texts. */
    readonly right: number;
    readonly wrong: number;
    readonly status: "proposed" | "applied";
}

/** Term pairs that one pod has counted, as of its last answer. A pod that has ended keeps its evidence. */
export interface TermCounts {
    readonly pod: string;
    readonly pairs: readonly Pick<TermPairProposal, "terms" | "right" | "wrong">[];
}

export interface TuningRecord {
    readonly schema: typeof SCHEMA;
    readonly schemaVersion: typeof SCHEMA_VERSION;
    readonly state: {
        readonly mode: Mode;
        /** RFC 3339 */
        readonly updatedAt: string;
        /** Complete days, oldest first, at most MAX_DAYS. */
        readonly days: readonly { readonly day: string; readonly evidence: Evidence }[];
        readonly termPairs: readonly TermPairProposal[];
        /** Absent in records of before. */
        readonly termCounts?: readonly TermCounts[];
    };
    /** Oldest first. */
    readonly decisions: readonly Decision[];
}

/** Days whose evidence decides together, so that weekdays and weekends count alike. */
export const MAX_DAYS = 7;
export const MAX_DECISIONS = 400;

export function emptyRecord(now: Date): TuningRecord {
    return {
        schema: SCHEMA,
        schemaVersion: SCHEMA_VERSION,
        state: { mode: "review", updatedAt: now.toISOString(), days: [], termPairs: [] },
        decisions: [],
    };
}

/** @throws UserError if it is not a record of this version */
export function parseTuningRecord(value: unknown, source: string): TuningRecord {
    const record = (value ?? {}) as Partial<TuningRecord>;
    const { schema, schemaVersion, state } = record;
    const decisions: unknown = record.decisions;
    if (schema !== SCHEMA || schemaVersion !== SCHEMA_VERSION)
        throw new UserError(
            `${source} has schema ${JSON.stringify(schema)} ${JSON.stringify(schemaVersion)}; allowed: "${SCHEMA}" ${SCHEMA_VERSION}`,
        );
    const isValid =
        Array.isArray(decisions) &&
        decisions.every(isDecision) &&
        Array.isArray(state?.days) &&
        Array.isArray(state.termPairs);
    if (!isValid) throw new UserError(`${source} is not a record of tuning: it is damaged`);
    const sorted = [...(decisions as readonly Decision[])].sort((a, b) =>
        a.at < b.at ? -1 : a.at > b.at ? 1 : 0,
    );
    return { ...(record as TuningRecord), decisions: sorted };
}

function isDecision(one: unknown): boolean {
    const { id, at, setting, action, from } = (one ?? {}) as Partial<Decision>;
    return (
        typeof id === "string" &&
        typeof at === "string" &&
        !Number.isNaN(Date.parse(at)) &&
        RUNTIME_SETTINGS.some((name) => name === setting) &&
        ACTIONS.some((name) => name === action) &&
        typeof from === "number"
    );
}
