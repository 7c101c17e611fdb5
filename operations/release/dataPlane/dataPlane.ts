import type { Colour, Weights } from "@property-search/contract";

export interface Measured {
    readonly holds: boolean;
    /** Such as `1,802/198 of 2,000 for weights 90/10 (−0.1 σ)`. */
    readonly text: string;
}

/** The service as its clients have it, through the gateway. */
export interface DataPlane {
    /** Who answers how often, of so many requests that ask for no colour. */
    readonly shares: (weights: Weights, samples: number, signal?: AbortSignal) => Promise<Measured>;
    /**
     * Uses a colour by header, at any weight.
     *
     * @returns what is wrong with its answers; nothing: all is well
     */
    readonly smoke: (colour: Colour, version: string) => Promise<readonly string[]>;
    /**
     * Has both colours embed texts that nobody asked before.
     *
     * @returns what the candidate answers differently; nothing where they agree, or have different models
     */
    readonly compare: (candidate: Colour, active: Colour) => Promise<readonly string[]>;
}
