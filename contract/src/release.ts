/**
 * What a release leaves on the cluster: the driver writes it, and deploys, dashboards and commands on
 * other machines read it. All of it lies in the edge's namespace, beside the route that it moves.
 */
export const RELEASE = {
    /** ConfigMap; its key `switch` holds the switch that is under way or was the last one, as JSON. */
    configMap: "release",
    key: "switch",
    /** ConfigMap with the switches before it, one key each. */
    history: "release-history",
    /** Lease of the one driver. */
    lease: "release",
    /** By which the driver writes; what it holds, no deploy overwrites. */
    fieldManager: "property-search-release",
} as const;

/** Annotations that the driver sets on what it writes. */
export const RELEASE_ANNOTATIONS = {
    /** Number of the driver that wrote last; who holds a lower one has been replaced, and must not write. */
    fence: "property-search.io/release-fence",
    /** The switch that wrote last. */
    id: "property-search.io/release-id",
    phase: "property-search.io/release-phase",
    candidate: "property-search.io/release-candidate",
    /** Floor of an autoscaler before the switch raised it. */
    floorBefore: "property-search.io/release-floor-before",
} as const;

/** Phases of a switch, in their order; those of a way back stand last. */
export const RELEASE_PHASES = [
    "preflight",
    "raise",
    "smoke",
    "shift",
    "accept",
    "measure",
    "observe",
    "bake",
    "finalize",
    "promoted",
    "abort",
    "cool",
    "rolled-back",
] as const;

export type ReleasePhase = (typeof RELEASE_PHASES)[number];

/** In these nothing moves any more. */
export function isFinalPhase(phase: ReleasePhase): boolean {
    return phase === "promoted" || phase === "rolled-back";
}
