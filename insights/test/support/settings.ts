import {
    RUNTIME_SETTING_BOUNDS,
    type RuntimeSetting,
    type RuntimeSettingsState,
    type RuntimeSettingState,
} from "@property-search/contract";
import { TUNER, type Values } from "../../src/tuning/decide.ts";

export const CONFIGURED = { cacheTtlSeconds: 7 * 86_400, localCacheMaxEntries: 2_000 };

/** The service's answer while nothing is tuned. */
export function configuredSettings(
    changes: Partial<Record<RuntimeSetting, Partial<RuntimeSettingState>>> = {},
): RuntimeSettingsState {
    const state = (setting: RuntimeSetting): RuntimeSettingState => ({
        value: CONFIGURED[setting],
        source: "config",
        configured: CONFIGURED[setting],
        ...RUNTIME_SETTING_BOUNDS[setting],
        experiment: null,
        tuned: null,
        ...changes[setting],
    });
    return {
        version: 0,
        tuning: "allowed",
        actor: null,
        reason: null,
        changedAt: null,
        staleIfErrorSeconds: 86_400,
        settings: {
            cacheTtlSeconds: state("cacheTtlSeconds"),
            localCacheMaxEntries: state("localCacheMaxEntries"),
        },
    };
}

/** What the service makes of a change. */
export function applyValues(
    before: RuntimeSettingsState,
    values: Values,
    actor = TUNER,
): RuntimeSettingsState {
    const settings = Object.entries(before.settings).map(([name, state]) => {
        const value = values[name as RuntimeSetting];
        if (value === undefined) return [name, state];
        const { configured } = state;
        const tuned =
            value === null ? null : { value, configured, actor, reason: "", changedAt: "" };
        return [
            name,
            { ...state, value: value ?? configured, source: tuned ? "tuned" : "config", tuned },
        ];
    });
    return {
        ...before,
        version: before.version + 1,
        settings: Object.fromEntries(settings) as RuntimeSettingsState["settings"],
    };
}
