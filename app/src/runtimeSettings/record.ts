import {
    RUNTIME_SETTING_BOUNDS,
    RUNTIME_SETTINGS,
    TUNING_STATES,
    type RuntimeSetting,
    type TunedValue,
    type TuningState,
} from "@property-search/contract";
import { Type } from "typebox";
import { Value } from "typebox/value";

/** The run-time settings that all pods share, in place of their configured values. */
export interface SettingsRecord {
    readonly version: number;
    readonly tuning: TuningState;
    readonly tuned: Readonly<Partial<Record<RuntimeSetting, TunedValue>>>;
    /**
     * Entries that were written with earlier values of `cacheTtlSeconds` are fresh until then at the latest, in milliseconds
     * since the Unix epoch.
     */
    readonly earlierFreshUntil: number;
    readonly actor: string | null;
    readonly reason: string | null;
    /** RFC 3339 */
    readonly changedAt: string | null;
}

export interface SettingsChange {
    readonly actor: string;
    readonly reason: string;
    /** Null: the configured value. Settings that are not named keep theirs. */
    readonly values: Readonly<Partial<Record<RuntimeSetting, number | null>>>;
    /** Milliseconds since the Unix epoch. */
    readonly now: number;
}

export const INITIAL_RECORD: SettingsRecord = {
    version: 0,
    tuning: "allowed",
    tuned: {},
    earlierFreshUntil: 0,
    actor: null,
    reason: null,
    changedAt: null,
};

/** Clocks of pods differ, and pods follow a change a second later. */
const MARGIN_MILLISECONDS = 3_600_000;

const TUNED = Type.Object({
    value: Type.Integer(),
    configured: Type.Integer(),
    actor: Type.String(),
    reason: Type.String(),
    changedAt: Type.String(),
});
const RECORD = Type.Object({
    version: Type.Integer({ minimum: 1 }),
    tuning: Type.Enum([...TUNING_STATES]),
    tuned: Type.Object({
        cacheTtlSeconds: Type.Optional(TUNED),
        localCacheMaxEntries: Type.Optional(TUNED),
    }),
    earlierFreshUntil: Type.Number({ minimum: 0 }),
    actor: Type.String(),
    reason: Type.String(),
    changedAt: Type.String(),
});

/** @returns undefined for text that is no valid record: another build may have written it */
export function parseRecord(text: string): SettingsRecord | undefined {
    try {
        const record: unknown = JSON.parse(text);
        if (!Value.Check(RECORD, record)) return undefined;
        const { tuned } = record;
        const areAllowed = RUNTIME_SETTINGS.every((setting) => {
            const value = tuned[setting]?.value;
            const { least, most } = RUNTIME_SETTING_BOUNDS[setting];
            return value === undefined || (value >= least && value <= most);
        });
        return areAllowed ? record : undefined;
    } catch {
        return undefined;
    }
}

/**
 * @param configured values of the pod that changes them
 * @param ttlSeconds in force in this pod until now
 */
export function changeRecord(
    before: SettingsRecord,
    version: number,
    { actor, reason, values, now }: SettingsChange,
    {
        configured,
        ttlSeconds,
    }: {
        readonly configured: Readonly<Record<RuntimeSetting, number>>;
        readonly ttlSeconds: number;
    },
): SettingsRecord {
    const changedAt = new Date(now).toISOString();
    const tuned = RUNTIME_SETTINGS.map((setting) => {
        const value = values[setting];
        const earlier = before.tuned[setting];
        const derived = { configured: configured[setting], actor, reason, changedAt };
        return [
            setting,
            value === undefined ? earlier : value === null ? undefined : { value, ...derived },
        ] as const;
    });
    return {
        version,
        tuning: before.tuning,
        tuned: Object.fromEntries(tuned.filter(([, one]) => one !== undefined)),
        earlierFreshUntil: Math.max(before.earlierFreshUntil, freshUntil(before, ttlSeconds, now)),
        actor,
        reason,
        changedAt,
    };
}

/** A tuned value that no longer applies in this pod may still apply in one that has not been replaced. */
function freshUntil({ tuned }: SettingsRecord, ttlSeconds: number, now: number): number {
    const longest = Math.max(ttlSeconds, tuned.cacheTtlSeconds?.value ?? 0);
    return now + longest * 1000 + MARGIN_MILLISECONDS;
}
