import { ARMS, METRICS, RUNTIME_SETTINGS, type Experiment } from "@property-search/contract";
import type { Registry } from "prom-client";

import type { RuntimeSettings } from "../runtimeSettings/runtimeSettings.ts";
import { registerGauge, type Sample } from "./families.ts";

/** Exports the values in force of the run-time settings, and the configured ones. */
export function exportSettings(
    registry: Registry,
    settings: Pick<RuntimeSettings, "state">,
    experiments: readonly Experiment[],
): void {
    const options = { name: METRICS.settingValue, help: "Value of a run-time setting in force" };
    registerGauge(registry, options, () => {
        const state = settings.state();
        return RUNTIME_SETTINGS.flatMap((setting): readonly Sample[] => {
            const { value, source } = state.settings[setting];
            if (value !== null) return [[{ setting, source }, value]];
            return experiments
                .filter(({ parameter }) => parameter === setting)
                .flatMap((one) =>
                    ARMS.map((arm): Sample => [{ setting, source: arm }, Number(one[arm])]),
                );
        });
    });
    const configured = {
        name: METRICS.settingConfigured,
        help: "Configured value of a run-time setting",
    };
    registerGauge(registry, configured, () => {
        const { settings: all } = settings.state();
        return RUNTIME_SETTINGS.map((setting): Sample => [{ setting }, all[setting].configured]);
    });
}
