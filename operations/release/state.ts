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

/** A traffic switch, as it is stored on the cluster. Times in milliseconds since the epoch. */
export interface Switch extends RecordedSwitch {
    /** `release` analyses a candidate; `rollback` returns to the previous colour without analysis. */
    readonly kind: "release" | "rollback";
    readonly versions: PerColour<string>;
    readonly plan: Plan;
    readonly reason: string;
    readonly startedAt: number;
    /** Index of the step in plan.steps. */
    readonly step: number;
    readonly steps: readonly StepResult[];
    /** Action that another command has requested; the running driver takes it from here. */
    readonly request?: ActionRequest;
    /** Set while the switch is paused; the analysis continues. */
    readonly paused?: Intervention;
    readonly aborted?: AbortDetails;
    /** Fencing token of the driver that wrote this. */
    readonly fence: number;
    readonly holder: string;
    /** What the current phase waits for, or its last error, which is retried. */
    readonly waitingFor?: string;
    readonly log: readonly LogEntry[];
}

export interface Intervention {
    readonly by: string;
    readonly at: number;
    readonly reason: string;
}

export interface ActionRequest extends Intervention {
    readonly action: "pause" | "promote" | "rollback";
}

export interface AbortDetails extends Intervention {
    readonly cause: "fail" | "inconclusive" | "deadline" | "requested";
    readonly phase: ReleasePhase;
}

/** Result of one step. */
export interface StepResult {
    readonly weight: number;
    readonly shiftedAt: number;
    /** Shares measured at the gateway. */
    readonly shares?: string;
    readonly verdict?: string;
    readonly reasons?: readonly string[];
    readonly figures?: unknown;
    readonly analyzedAt?: number;
}

export interface LogEntry {
    readonly at: number;
    readonly phase: ReleasePhase;
    readonly message: string;
}

export function hasEnded({ phase }: Switch): boolean {
    return isFinalPhase(phase);
}

/** Whether the traffic is returning, or has returned, to the active colour. */
export function isAborting({ phase }: Switch): boolean {
    return phase === "abort" || phase === "cooldown" || phase === "rolled-back";
}

export function candidateWeights(to: Colour, weight: number): Weights {
    const rest = 100 - weight;
    return to === "blue" ? { blue: weight, green: rest } : { blue: rest, green: weight };
}

/** Weights that this switch sets now; undefined before the first shift. */
export function targetWeights(state: Switch): Weights | undefined {
    if (isAborting(state)) return candidateWeights(state.from, 100);
    const last = state.steps.at(-1);
    return last && candidateWeights(state.to, last.weight);
}

/** Weight of the current step, or of the next one. */
export function stepWeight({ plan, step }: Switch): number {
    return plan.steps[step] ?? 100;
}

/** Returns the state in the next phase, with a log entry. */
export function enterPhase(
    state: Switch,
    phase: ReleasePhase,
    now: number,
    message: string,
): Switch {
    return {
        ...omitField(state, "waitingFor"),
        phase,
        phaseSince: now,
        log: [...state.log, { at: now, phase, message }],
    };
}

/** Returns the state without an optional field. */
export function omitField(state: Switch, key: "request" | "paused" | "waitingFor"): Switch {
    const rest = Object.entries(state).filter(([name]) => name !== key);
    return Object.fromEntries(rest) as unknown as Switch;
}

/** Returns the state with its last step updated. */
export function updateLastStep(state: Switch, more: Partial<StepResult>): Switch {
    const last = state.steps.at(-1);
    if (!last) return state;
    return { ...state, steps: [...state.steps.slice(0, -1), { ...last, ...more }] };
}

/** @throws ReleaseError for a record of another version of the driver */
export function decodeSwitch(text: string): Switch {
    const found = parseSwitch(text);
    // A writer of these fields has written the driver's own fields too.
    if (found) return found as Switch;
    throw new ReleaseError(
        `the cluster has a switch record that this driver cannot read: ${text.slice(0, 200)}; ` +
            "use the version of the driver that started it",
    );
}
