import { expect, test } from "@jest/globals";
import type { RuntimeSettingsState, RuntimeSettingState } from "@property-search/contract";
import { ClusterError, type Cluster } from "../../cluster/connect.ts";
import { describeTunedSettings, formatTunedSettings } from "../../deploy/tunedSettings.ts";

const CONFIGURED: RuntimeSettingState = {
    value: 604_800,
    source: "config",
    configured: 604_800,
    least: 60,
    most: 31_536_000,
    experiment: null,
    tuned: null,
};
const by = { actor: "tuner", reason: "entries cost more than they save" };
const changedAt = "2026-12-01T02:00:00Z";

function stateOf(ttl: Partial<RuntimeSettingState>): RuntimeSettingsState {
    return {
        version: 3,
        tuning: "allowed",
        ...by,
        changedAt,
        staleIfErrorSeconds: 86_400,
        settings: {
            cacheTtlSeconds: { ...CONFIGURED, ...ttl },
            localCacheMaxEntries: { ...CONFIGURED, value: 2_000, configured: 2_000 },
        },
    };
}

test("values in force are listed with who tuned them, and others are not", () => {
    const tuned = { value: 302_400, configured: 604_800, ...by, changedAt };
    expect(formatTunedSettings(stateOf({ value: 302_400, source: "tuned", tuned }))).toBe(
        "Settings tuned at run time, which are no drift:\n" +
            "  cacheTtlSeconds: 302400 instead of 604800, by tuner at 2026-12-01T02:00:00Z: " +
            "entries cost more than they save\n",
    );
    const superseded = { tuned: { ...tuned, configured: 86_400 } };
    expect(formatTunedSettings(stateOf(superseded))).toBe(
        "Settings tuned at run time, which are no drift: none\n",
    );
    expect(formatTunedSettings({ ...stateOf({}), tuning: "stopped" })).toBe(
        "Settings tuned at run time, which are no drift: none, tuning is stopped\n",
    );
});

test("a cluster whose pods cannot be reached does not fail the search for drift", async () => {
    const cluster = {
        objects: { read: () => Promise.reject(new ClusterError("the cluster does not answer")) },
    } as unknown as Cluster;
    expect(await describeTunedSettings(cluster)).toMatch(/^Settings tuned .*: not read \(.+\)\n$/);
});
