import type { V1ConfigMap } from "@kubernetes/client-node";
import {
    isColour,
    isFinalPhase,
    NAMESPACES,
    RELEASE,
    RELEASE_PHASES,
    type Colour,
    type ReleasePhase,
    type Weights,
} from "@property-search/contract";
import { ClusterError, parseJson, readIfExists, type Cluster } from "../apply/cluster.ts";
import { weightsText } from "./route.ts";

/** What a deploy has to know of the switch that is under way, or was the last one. */
export interface SwitchNote {
    readonly id: string;
    readonly to: Colour;
    readonly phase: ReleasePhase;
    /** Who began it. */
    readonly actor: string;
    /** When it came to its phase, in milliseconds since the epoch. */
    readonly phaseSince: number;
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
    namespace: string = NAMESPACES.edge,
): Promise<SwitchNote | undefined> {
    const name = RELEASE.configMap;
    const reference = { apiVersion: "v1", kind: "ConfigMap", namespace, name };
    const text = (await readIfExists<V1ConfigMap>(cluster, reference))?.data?.[RELEASE.key];
    if (text === undefined) return undefined;
    const note = parseJson(text);
    if (isNote(note)) return note;
    throw new ClusterError(
        `ConfigMap ${namespace}/${name} holds no switch that this version understands, so nobody knows ` +
            `whether one is under way: ${text.slice(0, 200)}; use the version that wrote it`,
    );
}

export function isUnderWay(note: SwitchNote | undefined): note is SwitchNote {
    return note !== undefined && !isFinalPhase(note.phase);
}

export interface Disagreement {
    readonly stack: string;
    readonly note: SwitchNote | undefined;
    /** Weights of the stack's config. */
    readonly wanted: Weights;
    /** Weights that a release has set. */
    readonly live: Weights;
}

/** @throws ClusterError when the weights differ: the traffic would move without anybody having asked for it. */
export function refuseOthers({ stack, note, wanted, live }: Disagreement): void {
    if (wanted.blue === live.blue) return;
    const since = note && new Date(note.phaseSince).toISOString();
    const who = note ? ` ${note.id} of ${note.actor} (${note.phase} since ${since})` : "";
    throw new ClusterError(
        `traffic.weights of stack ${stack} is ${weightsText(wanted)}, but the release${who} has set ` +
            `${weightsText(live)} (blue/green), which a deploy does not undo. Set property-search:` +
            `traffic.weights to { blue: ${live.blue}, green: ${live.green} } in Pulumi.${stack}.yaml and ` +
            "deploy again; to move the traffic use make switch.",
    );
}

function isNote(value: unknown): value is SwitchNote {
    if (typeof value !== "object" || value === null) return false;
    const { id, to, phase, actor, phaseSince } = value as Partial<Record<string, unknown>>;
    return (
        typeof id === "string" &&
        isColour(to) &&
        RELEASE_PHASES.some((known) => known === phase) &&
        typeof actor === "string" &&
        typeof phaseSince === "number"
    );
}
