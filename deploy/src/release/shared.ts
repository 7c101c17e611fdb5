import { COLOURS, NAMESPACES, ROUTE_NAME, SERVICE_NAMES } from "@property-search/contract";
import type { Manifest, ObjectReference } from "../apply/cluster.ts";

/** The route whose weights divide the traffic. */
export const ROUTE: ObjectReference = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    namespace: NAMESPACES.edge,
    name: ROUTE_NAME,
};

/** What scales a colour, and the field with the least pods that it may have: a switch raises it. */
const KINDS = [
    { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", floor: "minReplicaCount" },
    { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", floor: "minReplicas" },
] as const;

/** Autoscalers that a stack may have. */
export const SCALERS: readonly ObjectReference[] = COLOURS.flatMap((colour) =>
    KINDS.map(({ apiVersion, kind }) => ({
        apiVersion,
        kind,
        namespace: NAMESPACES[colour],
        name: SERVICE_NAMES[colour],
    })),
);

/** Whether the stack and the release driver both write an object. */
export function isShared(manifest: Manifest): boolean {
    return isRoute(manifest) || isScaler(manifest);
}

export function isRoute({ kind, metadata }: Manifest): boolean {
    return kind === ROUTE.kind && metadata.name === ROUTE.name;
}

function isScaler({ kind, metadata }: Manifest): boolean {
    return (
        KINDS.some((known) => known.kind === kind) &&
        COLOURS.some((colour) => SERVICE_NAMES[colour] === metadata.name)
    );
}

interface Scaler extends Manifest {
    readonly spec?: Readonly<Record<string, unknown>>;
}

/** An autoscaler with the floor that it has on the cluster, and that in words. */
export function withFloor(manifest: Scaler, live: Scaler): [manifest: Scaler, what: string] {
    const floor = KINDS.find(({ kind }) => kind === manifest.kind)?.floor ?? "";
    const now = live.spec?.[floor];
    const spec = { ...manifest.spec, [floor]: now };
    return [{ ...manifest, spec }, `${floor} of ${manifest.metadata.name} stays ${String(now)}`];
}
