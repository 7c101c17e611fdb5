import { LABELS, PART_OF, type Colour } from "@property-search/contract";

/** Identity of an object, from which its labels follow. */
export interface Identity {
    /** The application, such as `embedding-service-blue`. */
    readonly name: string;
    /** Its role in the platform, such as `cache`. */
    readonly component: string;
    readonly version?: string;
    readonly colour?: Colour;
}

/** Labels for objects and pods. */
export function standardLabels(identity: Identity): Record<string, string> {
    const { version, colour } = identity;
    return {
        ...selectorLabels(identity),
        [LABELS.partOf]: PART_OF,
        ...(version !== undefined && { [LABELS.version]: version }),
        ...(colour !== undefined && { [LABELS.colour]: colour }),
    };
}

/** Labels for selectors, which are immutable: without the version, which a release changes. */
export function selectorLabels({ name, component }: Identity): Record<string, string> {
    return { [LABELS.name]: name, [LABELS.component]: component };
}
