import { NAMESPACES, RELEASE } from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import type { Api } from "../api.ts";
import { releaseRecord } from "../../shared/releaseRecord.ts";
import { hasEnded, decodeSwitch, type Switch } from "../state.ts";

/** The stored switch, and the version on which the next write is based. */
export interface StoredSwitch {
    readonly state: Switch | undefined;
    /** Undefined if there is no record yet. */
    readonly resourceVersion: string | undefined;
}

/** The release record. Every write is compare-and-swap: one based on an older version fails with 409. */
export interface Store {
    readonly read: () => Promise<StoredSwitch>;
    readonly write: (state: Switch, basis: StoredSwitch) => Promise<StoredSwitch>;
    /** Past switches, newest first. */
    readonly history: () => Promise<readonly Switch[]>;
}

interface ConfigMap extends Manifest {
    data?: Readonly<Record<string, string>>;
}

/** A ConfigMap holds 1 MiB; a switch with all its figures takes a few KiB. */
const MAX_HISTORY = 30;

const HISTORY = { ...releaseRecord(), name: RELEASE.history };

export function clusterStore(api: Api): Store {
    const object = (name: string, data: Record<string, string>, resourceVersion?: string) => ({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
            name,
            namespace: NAMESPACES.edge,
            ...(resourceVersion !== undefined && { resourceVersion }),
        },
        data,
    });

    const put = (name: string, data: Record<string, string>, version: string | undefined) =>
        version === undefined
            ? api.create<ConfigMap>(object(name, data))
            : api.replace<ConfigMap>(object(name, data, version));

    async function addToHistory(state: Switch): Promise<void> {
        const kept = await api.read<ConfigMap>(HISTORY);
        const all = { ...kept?.data, [state.id]: JSON.stringify(state) };
        const newest = Object.entries(all).sort(([a], [b]) => b.localeCompare(a));
        const data = Object.fromEntries(newest.slice(0, MAX_HISTORY));
        await put(RELEASE.history, data, kept?.metadata.resourceVersion);
    }

    return {
        read: async () => {
            const kept = await api.read<ConfigMap>(releaseRecord());
            const text = kept?.data?.[RELEASE.key];
            return {
                state: text === undefined ? undefined : decodeSwitch(text),
                resourceVersion: kept?.metadata.resourceVersion,
            };
        },
        write: async (state, { resourceVersion }) => {
            // Written before the switch itself, so that none is missing; repeated after a crash under the same key.
            if (hasEnded(state)) await addToHistory(state);
            const data = { [RELEASE.key]: JSON.stringify(state) };
            const written = await put(RELEASE.configMap, data, resourceVersion);
            return { state, resourceVersion: written.metadata.resourceVersion };
        },
        history: async () => {
            const kept = await api.read<ConfigMap>(HISTORY);
            return Object.entries(kept?.data ?? {})
                .sort(([a], [b]) => b.localeCompare(a))
                .map(([, text]) => decodeSwitch(text));
        },
    };
}
