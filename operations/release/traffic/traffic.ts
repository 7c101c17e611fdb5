import type { Weights } from "@property-search/contract";

/** Who owns the weights of the traffic, and sets them. */
export interface Traffic {
    /**
     * `pulumi`: the stack's config, carried out by a targeted update. `direct`: the route itself, as a
     * cluster without Pulumi has it, and as the emergency brake.
     */
    readonly kind: "pulumi" | "direct";
    /** Weights as their owner has them now. */
    readonly read: () => Promise<Weights>;
    /** Idempotent. Resolves when the owner has carried it out. */
    readonly set: (weights: Weights, change: Change) => Promise<void>;
    /** Why no update of the owner can succeed now, such as a config that the program rejects. */
    readonly check?: () => Promise<string | undefined>;
    /** Moves the traffic past an owner who cannot; the owner's own record says the same afterwards. */
    readonly force?: (weights: Weights, change: Change) => Promise<void>;
}

/** On whose behalf weights are changed. */
export interface Change {
    /** Of the driver: refused where a later one has written. */
    readonly fence: number;
    /** Id of the switch. */
    readonly id: string;
    readonly signal?: AbortSignal | undefined;
}
