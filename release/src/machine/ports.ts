import type { Colour } from "@property-search/contract";
import type { Capacity } from "../capacity/capacity.ts";
import type { Clock } from "../clock.ts";
import type { DataPlane } from "../dataplane/dataPlane.ts";
import type { Plan } from "../plan.ts";
import type { Switch } from "../state.ts";
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

export interface TrialWish {
    /** Id of the switch. */
    readonly release: string;
    readonly actor: string;
}

/** Keeps what the candidate writes into the shared cache from the active colour. */
export interface Trials {
    /** Idempotent. Resolves when every pod of the active colour obeys. */
    readonly begin: (candidate: Colour, wish: TrialWish) => Promise<void>;
    /** The candidate is trusted from now on. */
    readonly promote: (candidate: Colour, wish: TrialWish) => Promise<void>;
}

/** The route as the gateway says it stands. */
export interface RouteStatus {
    /** @returns why it does not serve as it is written, or undefined */
    readonly unaccepted: () => Promise<string | undefined>;
    /** Phase and candidate, for dashboards and for whoever looks at the route. */
    readonly mark: (state: Switch, fence: number) => Promise<void>;
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
