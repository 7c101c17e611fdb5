/**
 * Objects of a release in the cluster. The release driver writes them; deployments, dashboards and commands on
 * other machines read them. They are in the edge namespace, as the HTTPRoute is.
 */
export const RELEASE = {
    /** ConfigMap whose key `switch` holds the current or latest release as JSON. */
    configMap: "release",
    key: "switch",
    /** ConfigMap with earlier releases, one key per release. */
    history: "release-history",
    /** Lease that ensures a single driver. */
    lease: "release",
    /** Field manager of the driver. Deployments do not overwrite the fields that it owns. */
    fieldManager: "property-search-release",
} as const;

/** Annotations on the objects that the driver writes. */
export const RELEASE_ANNOTATIONS = {
    /** Fencing token of the latest writer. A driver with a lower token is superseded and must not write. */
    fence: "property-search.io/release-fence",
    /** ID of the release that wrote last. */
    id: "property-search.io/release-id",
    phase: "property-search.io/release-phase",
    candidate: "property-search.io/release-candidate",
    /** `minReplicas` of an autoscaler before the release raised it. */
    floorBefore: "property-search.io/release-floor-before",
} as const;

/** Phases of a release in their order; the phases of a rollback are last. */
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
    "cooldown",
    "rolled-back",
] as const;

export type ReleasePhase = (typeof RELEASE_PHASES)[number];

/** @returns whether the release has ended */
export function isFinalPhase(phase: ReleasePhase): boolean {
    return phase === "promoted" || phase === "rolled-back";
}
