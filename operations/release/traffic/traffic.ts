import type { Weights } from "@property-search/contract";

/** Reads and sets the traffic weights through their owner. */
export interface Traffic {
    /**
     * `pulumi`: the stack's config and a targeted update. `direct`: the route itself, for clusters without Pulumi and for
     * `--force`.
     */
    readonly kind: "pulumi" | "direct";
    /** Current weights of their owner. */
    readonly read: () => Promise<Weights>;
    /** Idempotent. Resolves when the owner has set the weights. */
    readonly set: (weights: Weights, change: WeightChange) => Promise<void>;
    /** Describes why no update can succeed now, such as a rejected config. */
    readonly check?: () => Promise<string | undefined>;
    /** Sets the weights past an owner that cannot, and updates the owner's record. */
    readonly force?: (weights: Weights, change: WeightChange) => Promise<void>;
}

/** The switch and the driver that change the weights. */
export interface WeightChange {
    /** Fencing token of the driver: rejected if a later driver has written. */
    readonly fence: number;
    /** Id of the switch. */
    readonly id: string;
    readonly signal?: AbortSignal | undefined;
}
