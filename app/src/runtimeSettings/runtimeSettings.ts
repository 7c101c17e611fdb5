import {
    RUNTIME_SETTING_BOUNDS,
    RUNTIME_SETTINGS,
    type Bounds,
    type Experiment,
    type RuntimeSetting,
    type RuntimeSettingsState,
    type TuningState,
} from "@property-search/contract";

import { wallClock } from "../clock.ts";
import type { Log } from "../log.ts";
import { createVersionedRecord, type VersionedRecord } from "../redis/versionedRecord.ts";
import type { VersionedStore } from "../redis/versionedStore.ts";
import {
    changeRecord,
    INITIAL_RECORD,
    parseRecord,
    type SettingsChange,
    type SettingsRecord,
} from "./record.ts";

/**
 * Settings that change without a new pod. The configured values are those of the stack; a tuned value replaces one in all
 * pods, as long as their configured value is the one that it was derived from.
 */
export interface RuntimeSettings extends Pick<
    VersionedRecord<SettingsRecord>,
    "isKnown" | "start" | "stop"
> {
    /** In force in this pod, if no experiment varies it. */
    readonly valueOf: (setting: RuntimeSetting) => number;
    /**
     * No entry that exists is fresh for longer than this from now on. It exceeds the value in force while entries exist that
     * were written with a larger one.
     */
    readonly longestTtlSeconds: () => number;
    readonly state: () => RuntimeSettingsState;
    /**
     * Takes effect here immediately, and in other pods within VERSION_PROPAGATION_MILLISECONDS.
     *
     * @param version must follow the current one
     * @throws SettingsError if it is not allowed; VersionConflictError, OutcomeUnknownError
     */
    readonly change: (
        version: number,
        change: Omit<SettingsChange, "now">,
    ) => Promise<RuntimeSettingsState>;
    /**
     * Stops or allows tuning, whatever the version is. `stopped` restores the configured values.
     *
     * @throws OutcomeUnknownError; VersionConflictError if others keep changing the settings
     */
    readonly switchTuning: (
        tuning: TuningState,
        by: Pick<SettingsChange, "actor" | "reason">,
    ) => Promise<RuntimeSettingsState>;
}

export type SettingsErrorCode = "invalid_value" | "tuning_stopped" | "experiment_running";

/** A change that is not allowed now. */
export class SettingsError extends Error {
    readonly code: SettingsErrorCode;
    readonly setting: RuntimeSetting;

    constructor(code: SettingsErrorCode, setting: RuntimeSetting, message: string) {
        super(message);
        this.name = "SettingsError";
        this.code = code;
        this.setting = setting;
    }
}

export interface RuntimeSettingsOptions {
    readonly store: VersionedStore;
    readonly configured: Readonly<Record<RuntimeSetting | "staleIfErrorSeconds", number>>;
    /** Most entries of the local cache that the pod's memory permits. */
    readonly localCacheEntriesLimit: number;
    readonly experiments: readonly Experiment[];
    /** The values in force may have changed. */
    readonly onChange: () => void;
    readonly log: Log;
}

/** Name of the key in Redis, and version of settings that nobody has changed. */
export const STORED_SETTINGS = ["runtime-settings", INITIAL_RECORD.version] as const;

export function createRuntimeSettings(options: RuntimeSettingsOptions): RuntimeSettings {
    const { configured, experiments, onChange } = options;
    const { current, replace, ...record } = createVersionedRecord<SettingsRecord>({
        name: "Run-time settings",
        store: options.store,
        initial: INITIAL_RECORD,
        versionOf: ({ version }) => version,
        parse: parseRecord,
        onChange,
        log: options.log,
    });
    const bounds: Readonly<Record<RuntimeSetting, Bounds>> = {
        ...RUNTIME_SETTING_BOUNDS,
        localCacheMaxEntries: {
            ...RUNTIME_SETTING_BOUNDS.localCacheMaxEntries,
            most: Math.max(options.localCacheEntriesLimit, configured.localCacheMaxEntries),
        },
    };
    const experimentOn = (setting: RuntimeSetting) =>
        experiments.find(({ parameter }) => parameter === setting)?.name;

    function tunedOf(setting: RuntimeSetting): number | undefined {
        const tuned = current().tuned[setting];
        if (tuned?.configured !== configured[setting]) return undefined;
        // A pod with less memory than the one that accepted the value.
        return Math.min(tuned.value, bounds[setting].most);
    }
    const valueOf = (setting: RuntimeSetting): number => tunedOf(setting) ?? configured[setting];

    function check({ values }: Pick<SettingsChange, "values">): void {
        for (const setting of RUNTIME_SETTINGS) {
            const value = values[setting];
            if (value === undefined || value === null) continue;
            const { least, most } = bounds[setting];
            if (!Number.isInteger(value) || value < least || value > most)
                throw new SettingsError(
                    "invalid_value",
                    setting,
                    `is ${value}; allowed: a whole number from ${least} to ${most}, or null`,
                );
            const experiment = experimentOn(setting);
            if (experiment !== undefined)
                throw new SettingsError(
                    "experiment_running",
                    setting,
                    `is varied by the experiment ${experiment}; allowed: null until it has ended`,
                );
            if (current().tuning === "stopped")
                throw new SettingsError(
                    "tuning_stopped",
                    setting,
                    `is ${value}, but tuning is stopped; allowed: null, or PUT /settings/tuning first`,
                );
        }
    }

    const apply = (before: SettingsRecord, version: number, change: Omit<SettingsChange, "now">) =>
        changeRecord(
            before,
            version,
            { ...change, now: wallClock() },
            { configured, ttlSeconds: valueOf("cacheTtlSeconds") },
        );

    function describe(): RuntimeSettingsState {
        const { version, tuning, tuned, actor, reason, changedAt } = current();
        const settings = Object.fromEntries(
            RUNTIME_SETTINGS.map((setting) => {
                const experiment = experimentOn(setting) ?? null;
                const isTuned = tunedOf(setting) !== undefined;
                const state = {
                    value: experiment === null ? valueOf(setting) : null,
                    source: experiment !== null ? "experiment" : isTuned ? "tuned" : "config",
                    configured: configured[setting],
                    ...bounds[setting],
                    experiment,
                    tuned: tuned[setting] ?? null,
                };
                return [setting, state];
            }),
        ) as unknown as RuntimeSettingsState["settings"];
        const { staleIfErrorSeconds } = configured;
        return { version, tuning, actor, reason, changedAt, staleIfErrorSeconds, settings };
    }

    return {
        ...record,
        valueOf,
        longestTtlSeconds: () => {
            const { tuned, earlierFreshUntil } = current();
            return Math.max(
                configured.cacheTtlSeconds,
                tuned.cacheTtlSeconds?.value ?? 0,
                (earlierFreshUntil - wallClock()) / 1000,
            );
        },
        state: describe,
        change: async (version, change) => {
            await replace(version, (before, next) => {
                check(change);
                return apply(before, next, change);
            });
            return describe();
        },
        switchTuning: async (tuning, by) => {
            const values = tuning === "stopped" ? NO_VALUES : {};
            await replace(undefined, (before, next) => ({
                ...apply(before, next, { ...by, values }),
                tuning,
            }));
            return describe();
        },
    };
}

const NO_VALUES = Object.fromEntries(RUNTIME_SETTINGS.map((setting) => [setting, null]));
