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

/** What everybody knows of the switch that is under way, or was the last one. */
export interface RecordedSwitch {
    readonly id: string;
    readonly from: Colour;
    readonly to: Colour;
    readonly phase: ReleasePhase;
    /** When it came to its phase, in milliseconds since the epoch. */
    readonly phaseSince: number;
    /** Who began it, such as `ann@laptop`. */
    readonly actor: string;
}

/** The ConfigMap that holds it, at its key RELEASE.key. */
export function releaseRecord(namespace: string = NAMESPACES.edge) {
    return { apiVersion: "v1", kind: "ConfigMap", namespace, name: RELEASE.configMap };
}

/** @returns undefined for what this version does not understand: what that means is for the caller to say */
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
 * @param namespace of the edge.
 * @returns undefined where there never was a switch.
 * @throws ClusterError when the record cannot be read: a switch may then be under way.
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
        `ConfigMap ${record.namespace}/${record.name} holds no switch that this version understands, so nobody knows ` +
            `whether one is under way: ${text.slice(0, 200)}; use the version that wrote it`,
    );
}

export function isUnderWay(found: RecordedSwitch | undefined): found is RecordedSwitch {
    return found !== undefined && !isFinalPhase(found.phase);
}
