import { COLOURS, NAMESPACES } from "@property-search/contract";

/** Labels of alerts on one colour; the expression's series carry `colour`. */
export const COLOUR_LABELS = {
    service: "embedding-service",
    namespace: `{{ if eq $labels.colour "blue" }}${NAMESPACES.blue}{{ else if eq $labels.colour "green" }}${NAMESPACES.green}{{ else }}${NAMESPACES.edge}{{ end }}`,
} as const;

/** Labels of alerts on both colours together, which share the edge. */
export const SERVICE_LABELS = {
    service: "embedding-service",
    namespace: NAMESPACES.edge,
    colour: "all",
} as const;

/** Labels of alerts on Redis. */
export const REDIS_LABELS = { service: "redis", namespace: NAMESPACES.data } as const;

/** Label matcher for the namespaces of the colours. */
export const COLOUR_NAMESPACES = `namespace=~"${COLOURS.map((colour) => NAMESPACES[colour]).join("|")}"`;

/** @returns the expression with the label `colour`, derived from the namespace of its series. */
export function withColour(expr: string): string {
    return COLOURS.reduce(
        (inner, colour) =>
            `label_replace(${inner}, "colour", "${colour}", "namespace", "${NAMESPACES[colour]}")`,
        expr,
    );
}
