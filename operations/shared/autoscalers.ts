import { COLOURS, NAMESPACES, SERVICE_NAMES, type Colour } from "@property-search/contract";
import type { Manifest, ObjectReference } from "../cluster/connect.ts";

/** One of the kinds that scale a colour. */
export interface AutoscalerKind {
    readonly apiVersion: string;
    readonly kind: string;
    /** Field of the spec with the least pods that the colour may have: a switch raises it. */
    readonly floor: string;
    /** Field of the spec with the most. */
    readonly limit: string;
}

/** KEDA's object comes first: where there is one, KEDA would take back a floor of its autoscaler. */
const KINDS: readonly AutoscalerKind[] = [
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

/** Autoscalers that a colour may have, the one that counts first. */
export function scalersOf(colour: Colour): readonly (AutoscalerKind & ObjectReference)[] {
    const [namespace, name] = [NAMESPACES[colour], SERVICE_NAMES[colour]];
    return KINDS.map((kind) => ({ ...kind, namespace, name }));
}

/** @returns undefined for what scales nothing */
export function autoscalerKind(kind: string): AutoscalerKind | undefined {
    return KINDS.find((known) => known.kind === kind);
}

/** Whether it scales a colour. */
export function isScaler({ kind, metadata }: Manifest): boolean {
    return (
        autoscalerKind(kind) !== undefined &&
        COLOURS.some((colour) => SERVICE_NAMES[colour] === metadata.name)
    );
}

interface Scaler extends Manifest {
    readonly spec?: Readonly<Record<string, unknown>>;
}

/** An autoscaler with the floor that it has on the cluster, and that in words. */
export function withFloor(manifest: Scaler, live: Scaler): [manifest: Scaler, what: string] {
    const floor = autoscalerKind(manifest.kind)?.floor ?? "";
    const now = live.spec?.[floor];
    const spec = { ...manifest.spec, [floor]: now };
    return [{ ...manifest, spec }, `${floor} of ${manifest.metadata.name} stays ${String(now)}`];
}
