import { COLOURS, NAMESPACES } from "@property-search/contract";

/** Labels of alerts about one colour; the expression's series carry `colour`. */
export const OF_COLOUR = {
    service: "embedding-service",
    namespace: `{{ if eq $labels.colour "blue" }}${NAMESPACES.blue}{{ else if eq $labels.colour "green" }}${NAMESPACES.green}{{ else }}${NAMESPACES.edge}{{ end }}`,
} as const;

/** Labels of alerts about both colours together: they meet at the edge. */
export const OF_SERVICE = {
    service: "embedding-service",
    namespace: NAMESPACES.edge,
    colour: "all",
} as const;

/** Of Redis itself. */
export const OF_REDIS = { service: "redis", namespace: NAMESPACES.data } as const;

/** Matcher of the colours' namespaces. */
export const IN_COLOURS = `namespace=~"${COLOURS.map((colour) => NAMESPACES[colour]).join("|")}"`;

/** @returns the expression with the label `colour`, by the namespace of its series. */
export function withColour(expr: string): string {
    return COLOURS.reduce(
        (inner, colour) =>
            `label_replace(${inner}, "colour", "${colour}", "namespace", "${NAMESPACES[colour]}")`,
        expr,
    );
}
