import { NAMESPACES, RELEASE } from "@property-search/contract";
import type { Manifest } from "../../cluster/connect.ts";
import type { Api } from "../api.ts";
import { releaseRecord } from "../../shared/releaseRecord.ts";
import { isOver, switchIn, type Switch } from "../state.ts";

/** What is kept on the cluster, and the version of it that a write is based on. */
export interface Kept {
    readonly state: Switch | undefined;
    /** Undefined where there is nothing yet. */
    readonly resourceVersion: string | undefined;
}

/** The one record of a switch. Every write is compare-and-swap: who read an older one gets 409. */
export interface Store {
    readonly read: () => Promise<Kept>;
    readonly write: (state: Switch, basis: Kept) => Promise<Kept>;
    /** Switches that are over, the newest first. */
    readonly history: () => Promise<readonly Switch[]>;
}

interface ConfigMap extends Manifest {
    data?: Readonly<Record<string, string>>;
}

/** A ConfigMap holds a mebibyte; a switch with all its figures takes some kilobytes. */
const MOST_KEPT = 30;

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

    async function remember(state: Switch): Promise<void> {
        const kept = await api.read<ConfigMap>(HISTORY);
        const all = { ...kept?.data, [state.id]: JSON.stringify(state) };
        const newest = Object.entries(all).sort(([a], [b]) => b.localeCompare(a));
        const data = Object.fromEntries(newest.slice(0, MOST_KEPT));
        await put(RELEASE.history, data, kept?.metadata.resourceVersion);
    }

    return {
        read: async () => {
            const kept = await api.read<ConfigMap>(releaseRecord());
            const text = kept?.data?.[RELEASE.key];
            return {
                state: text === undefined ? undefined : switchIn(text),
                resourceVersion: kept?.metadata.resourceVersion,
            };
        },
        write: async (state, { resourceVersion }) => {
            // Before the switch itself, so that none is missing; again after a crash, under the same name.
            if (isOver(state)) await remember(state);
            const data = { [RELEASE.key]: JSON.stringify(state) };
            const written = await put(RELEASE.configMap, data, resourceVersion);
            return { state, resourceVersion: written.metadata.resourceVersion };
        },
        history: async () => {
            const kept = await api.read<ConfigMap>(HISTORY);
            return Object.entries(kept?.data ?? {})
                .sort(([a], [b]) => b.localeCompare(a))
                .map(([, text]) => switchIn(text));
        },
    };
}
