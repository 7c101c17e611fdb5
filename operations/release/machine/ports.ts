import type { Colour } from "@property-search/contract";
import type { Capacity } from "../capacity/capacity.ts";
import type { Clock } from "../clock.ts";
import type { DataPlane } from "../dataPlane/dataPlane.ts";
import type { Trials } from "../dataPlane/quarantine.ts";
import type { Plan } from "../plan.ts";
import type { Switch } from "../state.ts";
import type { RouteStatus } from "../traffic/status.ts";
import type { Traffic } from "../traffic/traffic.ts";

/** What a step's traffic showed of the candidate. */
export interface Look {
    readonly verdict: "pass" | "fail" | "no data";
    /** Why, each with its figures. */
    readonly reasons: readonly string[];
    /** To be kept and shown; plain JSON. */
    readonly figures?: unknown;
    /** When a window of the same length can be judged, in Unix seconds; undefined: now, or nobody knows. */
    readonly until?: number | undefined;
}

export interface Judge {
    /** Looks at both colours since a time; may be asked as often as one likes. */
    readonly look: (window: {
        readonly candidate: Colour;
        readonly active: Colour;
        /** Milliseconds since the epoch. */
        readonly since: number;
        readonly plan: Plan;
    }) => Promise<Look>;
}

/** Everything outside of the driver that a switch moves or asks. */
export interface Ports {
    readonly clock: Clock;
    readonly traffic: Traffic;
    readonly route: RouteStatus;
    readonly capacity: Capacity;
    readonly dataPlane: DataPlane;
    readonly judge: Judge;
    readonly trials: Trials;
    /** What a switch left in the stack's config, once it is over. */
    readonly settle: (state: Switch) => Promise<void>;
}
