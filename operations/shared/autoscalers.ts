import { COLOURS, NAMESPACES, SERVICE_NAMES, type Colour } from "@property-search/contract";
import type { Manifest, ObjectReference } from "../cluster/connect.ts";

/** A kind of autoscaler. */
export interface AutoscalerKind {
    readonly apiVersion: string;
    readonly kind: string;
    /** Spec field with the minimum number of pods, which a switch raises. */
    readonly floor: string;
    /** Spec field with the maximum number of pods. */
    readonly limit: string;
}

/** KEDA's object comes first: KEDA would revert a floor of the autoscaler that it manages. */
const AUTOSCALER_KINDS: readonly AutoscalerKind[] = [
    {
        apiVersion: "keda.sh/v1alpha1",
        kind: "ScaledObject",
        floor: "minReplicaCount",
        limit: "maxReplicaCount",
    },
    {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        floor: "minReplicas",
        limit: "maxReplicas",
    },
];

/** Possible autoscalers of a colour, in order of precedence. */
export function autoscalersOf(colour: Colour): readonly (AutoscalerKind & ObjectReference)[] {
    const [namespace, name] = [NAMESPACES[colour], SERVICE_NAMES[colour]];
    return AUTOSCALER_KINDS.map((kind) => ({ ...kind, namespace, name }));
}

/** @returns undefined if the kind is no autoscaler */
export function autoscalerKind(kind: string): AutoscalerKind | undefined {
    return AUTOSCALER_KINDS.find((known) => known.kind === kind);
}

/** Whether an object scales a colour. */
export function isColourAutoscaler({ kind, metadata }: Manifest): boolean {
    return (
        autoscalerKind(kind) !== undefined &&
        COLOURS.some((colour) => SERVICE_NAMES[colour] === metadata.name)
    );
}

interface Scaler extends Manifest {
    readonly spec?: Readonly<Record<string, unknown>>;
}

/** Sets an autoscaler's floor to the live value; returns it with a description. */
export function withFloor(manifest: Scaler, live: Scaler): [manifest: Scaler, what: string] {
    const floor = autoscalerKind(manifest.kind)?.floor ?? "";
    const now = live.spec?.[floor];
    const spec = { ...manifest.spec, [floor]: now };
    return [{ ...manifest, spec }, `${floor} of ${manifest.metadata.name} stays ${String(now)}`];
}
