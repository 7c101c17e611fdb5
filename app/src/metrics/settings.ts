import { ARMS, METRICS, RUNTIME_SETTINGS, type Experiment } from "@property-search/contract";
import type { Registry } from "prom-client";

import type { RuntimeSettings } from "../runtimeSettings/runtimeSettings.ts";
import { createFamilies, type Sample } from "./families.ts";

/** Exports the values in force of the run-time settings, and the configured ones. */
export function exportSettings(
    registry: Registry,
    settings: Pick<RuntimeSettings, "state">,
    experiments: readonly Experiment[],
): void {
    const { gauge } = createFamilies(registry);
    gauge(METRICS.settingValue, "Value of a run-time setting in force", () => {
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
    gauge(METRICS.settingConfigured, "Configured value of a run-time setting", () => {
        const { settings: all } = settings.state();
        return RUNTIME_SETTINGS.map((setting): Sample => [{ setting }, all[setting].configured]);
    });
}
