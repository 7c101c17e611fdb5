/** Label keys. The first five are Kubernetes' recommended labels. */
export const LABELS = {
    name: "app.kubernetes.io/name",
    instance: "app.kubernetes.io/instance",
    version: "app.kubernetes.io/version",
    component: "app.kubernetes.io/component",
    partOf: "app.kubernetes.io/part-of",
    managedBy: "app.kubernetes.io/managed-by",
    /** `blue` or `green`, on everything that belongs to one colour. */
    colour: "property-search.io/colour",
} as const;

export const PART_OF = "property-search";
