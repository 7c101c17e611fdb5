import {
    ADMIN_PATHS,
    ADMIN_PREFIX,
    RUNTIME_SETTINGS,
    type RuntimeSettingsState,
} from "@property-search/contract";
import { clusterAdminTarget } from "../admin/target.ts";
import { messageOf, type Cluster } from "../cluster/connect.ts";

const TIMEOUT_MILLISECONDS = 10_000;

/**
 * Describes the settings that differ from the config at run time. They are in Redis and in no Kubernetes object, so that a
 * preview neither shows nor reverts them, and they are no drift.
 *
 * @returns lines for people; never throws, since a stack need not have a ready pod
 */
export async function describeTunedSettings(cluster: Cluster): Promise<string> {
    try {
        return formatTunedSettings(await readSettings(cluster));
    } catch (error) {
        return `Settings tuned at run time, which are no drift: not read (${messageOf(error)})\n`;
    }
}

export function formatTunedSettings({ settings, tuning }: RuntimeSettingsState): string {
    const lines = RUNTIME_SETTINGS.flatMap((name) => {
        const { source, value, tuned, configured } = settings[name];
        if (source !== "tuned" || !tuned) return [];
        const { actor, reason, changedAt } = tuned;
        return [
            `  ${name}: ${value} instead of ${configured}, by ${actor} at ${changedAt}: ${reason}`,
        ];
    });
    const state = tuning === "stopped" ? ", tuning is stopped" : "";
    const none = lines.length === 0 ? " none" : "";
    return [`Settings tuned at run time, which are no drift:${none}${state}`, ...lines, ""].join(
        "\n",
    );
}

async function readSettings(cluster: Cluster): Promise<RuntimeSettingsState> {
    const { url, token, close } = await clusterAdminTarget(cluster, {});
    try {
        const response = await fetch(`${url}${ADMIN_PREFIX}${ADMIN_PATHS.settings}`, {
            headers: { authorization: `Bearer ${token}` },
            signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
        });
        if (!response.ok) throw new Error(`the admin port responded with ${response.status}`);
        return (await response.json()) as RuntimeSettingsState;
    } finally {
        await close();
    }
}
