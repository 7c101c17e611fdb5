import type { Colour } from "@property-search/contract";
import type { Capacity } from "../capacity/capacity.ts";
import type { Clock } from "../clock.ts";
import type { DataPlane } from "../dataPlane/dataPlane.ts";
import type { Quarantine } from "../dataPlane/quarantine.ts";
import type { Plan } from "../plan.ts";
import type { Switch } from "../state.ts";
import type { RouteStatus } from "../traffic/status.ts";
import type { Traffic } from "../traffic/traffic.ts";

/** Result of an analysis of the candidate. */
export interface Analysis {
    readonly verdict: "pass" | "fail" | "inconclusive";
    /** Reasons of the verdict, each with its figures. */
    readonly reasons: readonly string[];
    /** Plain JSON, stored with the step and shown. */
    readonly figures?: unknown;
    /** Unix seconds at which a window of the same length can be analysed; undefined: now, or unknown. */
    readonly readyAt?: number | undefined;
}

export interface Judge {
    /** Compares both colours since a time. It can be repeated at will. */
    readonly analyze: (window: {
        readonly candidate: Colour;
        readonly active: Colour;
        /** Milliseconds since the epoch. */
        readonly since: number;
        readonly plan: Plan;
    }) => Promise<Analysis>;
}

/** Everything outside of the driver that a switch reads or changes. */
export interface Ports {
    readonly clock: Clock;
    readonly traffic: Traffic;
    readonly route: RouteStatus;
    readonly capacity: Capacity;
    readonly dataPlane: DataPlane;
    readonly judge: Judge;
    readonly quarantine: Quarantine;
    /** Writes the final weights of a switch to the stack's config. */
    readonly writeWeightsToConfig: (state: Switch) => Promise<void>;
}
