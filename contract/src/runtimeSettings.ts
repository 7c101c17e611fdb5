/** Least and largest value of a whole number. */
export interface Bounds {
    readonly least: number;
    readonly most: number;
}

/** Settings of the service that may be changed at run time, without a new pod, and what they allow. */
export const RUNTIME_SETTING_BOUNDS = {
    cacheTtlSeconds: { least: 60, most: 31_536_000 },
    localCacheMaxEntries: { least: 1, most: 1_000_000 },
} as const satisfies Readonly<Record<string, Bounds>>;

export type RuntimeSetting = keyof typeof RUNTIME_SETTING_BOUNDS;

export const RUNTIME_SETTINGS = Object.keys(RUNTIME_SETTING_BOUNDS) as readonly RuntimeSetting[];

/** Whether run-time settings may differ from the configured ones: the kill switch of every tuner. */
export const TUNING_STATES = ["allowed", "stopped"] as const;

export type TuningState = (typeof TUNING_STATES)[number];

/** Sources of a value in force, except the arms of an experiment. */
export const SETTING_SOURCES = ["config", "tuned"] as const;

/** A value in the place of the configured one. It applies only while that is the one that it was derived from. */
export interface TunedValue {
    readonly value: number;
    readonly configured: number;
    readonly actor: string;
    readonly reason: string;
    /** RFC 3339 */
    readonly changedAt: string;
}

/** State of a run-time setting in one pod, as its admin port reports it. */
export interface RuntimeSettingState extends Bounds {
    /** Null: an experiment varies it. */
    readonly value: number | null;
    readonly source: (typeof SETTING_SOURCES)[number] | "experiment";
    readonly configured: number;
    /** Name of the experiment that varies it. */
    readonly experiment: string | null;
    /** Also if it does not apply, because an experiment varies the setting or the configured value has changed. */
    readonly tuned: TunedValue | null;
}

/** Answer of `GET /admin/v1/settings`. */
export interface RuntimeSettingsState {
    /** 0: never changed. */
    readonly version: number;
    readonly tuning: TuningState;
    /** Of the latest change; null: never changed. */
    readonly actor: string | null;
    readonly reason: string | null;
    readonly changedAt: string | null;
    /** How long an entry is kept after its lifetime; not a run-time setting. */
    readonly staleIfErrorSeconds: number;
    readonly settings: Readonly<Record<RuntimeSetting, RuntimeSettingState>>;
}
