import type { Colour, Weights } from "@property-search/contract";

export interface ShareMeasurement {
    readonly matches: boolean;
    /** Such as `1,802/198 of 2,000 for weights 90/10 (−0.1 σ)`. */
    readonly text: string;
}

/** The service as clients use it, through the gateway. */
export interface DataPlane {
    /** Reason for which a colour rejects the driver's API key; undefined if it accepts it, or needs none. */
    readonly keyProblem: (colour: Colour) => Promise<string | undefined>;
    /** Measures each colour's share of `samples` requests without a preview header. */
    readonly shares: (
        weights: Weights,
        samples: number,
        signal?: AbortSignal,
    ) => Promise<ShareMeasurement>;
    /**
     * Sends requests to a colour by header, at any weight.
     *
     * @returns problems of its responses; none if all are correct
     */
    readonly smoke: (colour: Colour, version: string) => Promise<readonly string[]>;
    /**
     * Has both colours embed new texts.
     *
     * @returns differences of the candidate's vectors; none if they agree, or the models differ
     */
    readonly compare: (candidate: Colour, active: Colour) => Promise<readonly string[]>;
}
