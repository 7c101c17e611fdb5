import {
    isFinalPhase,
    type Colour,
    type PerColour,
    type ReleasePhase,
    type Weights,
} from "@property-search/contract";
import { parseSwitch, type RecordedSwitch } from "../shared/releaseRecord.ts";
import { ReleaseError } from "./error.ts";
import type { Plan } from "./plan.ts";

/** A switch of the traffic, as it is kept on the cluster. Times in milliseconds since the epoch. */
export interface Switch extends RecordedSwitch {
    /** `release` tries a candidate out; `rollback` goes back to what served before, and tries nothing. */
    readonly kind: "release" | "rollback";
    readonly versions: PerColour<string>;
    readonly plan: Plan;
    readonly reason: string;
    readonly startedAt: number;
    /** Index of the step in plan.steps. */
    readonly step: number;
    readonly steps: readonly StepRecord[];
    /** What was asked from elsewhere while a driver was at work; it takes it from here. */
    readonly request?: Request;
    /** Held where it is, watched all the same. */
    readonly paused?: Asked;
    readonly aborted?: Aborted;
    /** Of the driver that wrote this. */
    readonly fence: number;
    readonly holder: string;
    /** What went wrong last in this phase and is tried again. */
    readonly trouble?: string;
    readonly log: readonly LogEntry[];
}

export interface Asked {
    readonly by: string;
    readonly at: number;
    readonly reason: string;
}

export interface Request extends Asked {
    readonly what: "pause" | "promote" | "rollback";
}

export interface Aborted extends Asked {
    readonly cause: "fail" | "no data" | "deadline" | "asked";
    readonly phase: ReleasePhase;
}

/** What one step did and was found to do. */
export interface StepRecord {
    readonly weight: number;
    readonly shiftedAt: number;
    /** Shares as they were measured at the gateway. */
    readonly shares?: string;
    readonly verdict?: string;
    readonly reasons?: readonly string[];
    readonly figures?: unknown;
    readonly judgedAt?: number;
}

export interface LogEntry {
    readonly at: number;
    readonly phase: ReleasePhase;
    readonly words: string;
}

export function isOver({ phase }: Switch): boolean {
    return isFinalPhase(phase);
}

/** Whether the traffic is on its way back, or is back. */
export function isAborting({ phase }: Switch): boolean {
    return phase === "abort" || phase === "cool" || phase === "rolled-back";
}

export function candidateWeights(to: Colour, weight: number): Weights {
    const rest = 100 - weight;
    return to === "blue" ? { blue: weight, green: rest } : { blue: rest, green: weight };
}

/** Weights that this switch wants now; undefined before it has moved any. */
export function wantedWeights(state: Switch): Weights | undefined {
    if (isAborting(state)) return candidateWeights(state.from, 100);
    const last = state.steps.at(-1);
    return last && candidateWeights(state.to, last.weight);
}

/** Weight of the step that the switch is at or goes to next. */
export function weightOf({ plan, step }: Switch): number {
    return plan.steps[step] ?? 100;
}

/** The next phase, with a line in the log. */
export function enter(state: Switch, phase: ReleasePhase, now: number, words: string): Switch {
    return {
        ...without(state, "trouble"),
        phase,
        phaseSince: now,
        log: [...state.log, { at: now, phase, words }],
    };
}

/** The state with a field that it need not have left out. */
export function without(state: Switch, key: "request" | "paused" | "trouble"): Switch {
    const rest = Object.entries(state).filter(([name]) => name !== key);
    return Object.fromEntries(rest) as unknown as Switch;
}

/** @returns the last step with more known about it */
export function withStep(state: Switch, more: Partial<StepRecord>): Switch {
    const last = state.steps.at(-1);
    if (!last) return state;
    return { ...state, steps: [...state.steps.slice(0, -1), { ...last, ...more }] };
}

/** @throws ReleaseError for what this version of the driver did not write */
export function switchIn(text: string): Switch {
    const found = parseSwitch(text);
    // Whatever wrote these fields has written the driver's own.
    if (found) return found as Switch;
    throw new ReleaseError(
        `the cluster holds a switch that this driver does not understand: ${text.slice(0, 200)}; ` +
            "use the version of the driver that began it",
    );
}
