import type { V1ConfigMap } from "@kubernetes/client-node";
import {
    isColour,
    isFinalPhase,
    NAMESPACES,
    otherColour,
    RELEASE,
    RELEASE_PHASES,
    type Colour,
    type ReleasePhase,
} from "@property-search/contract";
import { ClusterError, parseJson, readIfExists, type Cluster } from "../cluster/connect.ts";

/** The fields of the current or last switch that deploys read too. */
export interface RecordedSwitch {
    readonly id: string;
    readonly from: Colour;
    readonly to: Colour;
    readonly phase: ReleasePhase;
    /** Start of the phase, in milliseconds since the epoch. */
    readonly phaseSince: number;
    /** User that started it, such as `ann@laptop`. */
    readonly actor: string;
}

/** Reference of the ConfigMap with the record, at the key RELEASE.key. */
export function releaseRecord(namespace: string = NAMESPACES.edge) {
    return { apiVersion: "v1", kind: "ConfigMap", namespace, name: RELEASE.configMap };
}

/** @returns undefined for a record that this version cannot read */
export function parseSwitch(text: string): RecordedSwitch | undefined {
    const value = parseJson(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { id, from, to, phase, phaseSince, actor } = value as Partial<Record<string, unknown>>;
    const isUnderstood =
        typeof id === "string" &&
        isColour(from) &&
        to === otherColour(from) &&
        RELEASE_PHASES.some((known) => known === phase) &&
        typeof phaseSince === "number" &&
        typeof actor === "string";
    return isUnderstood ? (value as RecordedSwitch) : undefined;
}

/**
 * Reads the release driver's record.
 *
 * @param namespace of the edge
 * @returns undefined if there has been no switch
 * @throws ClusterError if the record cannot be read: a switch may then be in progress
 */
export async function readSwitch(
    cluster: Cluster,
    namespace?: string,
): Promise<RecordedSwitch | undefined> {
    const record = releaseRecord(namespace);
    const text = (await readIfExists<V1ConfigMap>(cluster, record))?.data?.[RELEASE.key];
    if (text === undefined) return undefined;
    const found = parseSwitch(text);
    if (found) return found;
    throw new ClusterError(
        `ConfigMap ${record.namespace}/${record.name} has no switch record that this version can read, so a switch ` +
            `may be in progress: ${text.slice(0, 200)}; use the version that wrote it`,
    );
}

export function isUnderWay(found: RecordedSwitch | undefined): found is RecordedSwitch {
    return found !== undefined && !isFinalPhase(found.phase);
}
