import { ReleaseError } from "./error.ts";

/** Steps, deadlines and thresholds of a switch. */
export interface Plan {
    /** Weights of the candidate, rising, the last one 100. */
    readonly steps: readonly number[];
    /** Minimum duration of a step, even if it passes earlier. */
    readonly minStepSeconds: number;
    /** Requests that the candidate must have answered before a step can pass. */
    readonly minRequests: number;
    /** Container restarts of the candidate that a step tolerates; more fail it. */
    readonly maxRestarts: number;
    /** Deadline of a step; a step that has not passed by then is rolled back. */
    readonly stepDeadlineSeconds: number;
    /** Duration of the analysis with all traffic at the candidate, while the other colour keeps its size. */
    readonly bakeSeconds: number;
    /** Deadline for pods to become ready, and for a route to be accepted and measured. */
    readonly phaseDeadlineSeconds: number;
    /** Time for which a colour keeps its size after a rollback. */
    readonly cooldownSeconds: number;
    /** Deadline of a pause; a switch that is paused for longer is rolled back. */
    readonly pauseDeadlineSeconds: number;
    /** Requests that measure the shares at the gateway. */
    readonly shareRequests: number;
}

export const DEFAULT_PLAN: Plan = {
    steps: [10, 50, 100],
    minStepSeconds: 60,
    minRequests: 400,
    maxRestarts: 0,
    stepDeadlineSeconds: 600,
    bakeSeconds: 300,
    phaseDeadlineSeconds: 300,
    cooldownSeconds: 30,
    pauseDeadlineSeconds: 3600,
    shareRequests: 2000,
};

/** Help texts of the command line. */
export const PLAN_DESCRIPTIONS: Readonly<Record<keyof Plan, string>> = {
    steps: "weights of the candidate, in percent",
    minStepSeconds: "minimum seconds per step",
    minRequests: "requests of the candidate before a step can pass",
    maxRestarts: "container restarts tolerated per step (for example on node loss)",
    stepDeadlineSeconds: "seconds until a step that has not passed is rolled back",
    bakeSeconds: "seconds of analysis with all traffic at the candidate",
    phaseDeadlineSeconds:
        "timeout in seconds for pods to become ready and for the route to take effect",
    cooldownSeconds: "seconds for which both colours keep their size after a rollback",
    pauseDeadlineSeconds: "seconds until a paused switch is rolled back",
    shareRequests: "requests that measure the shares at the gateway",
};

/** Plan of a rollback: one step without analysis, since the target served before. */
export const ROLLBACK_PLAN: Pick<Plan, "steps" | "minStepSeconds" | "bakeSeconds"> = {
    steps: [100],
    minStepSeconds: 0,
    bakeSeconds: 0,
};

/** Options of the command line, as text. */
export type PlanFlags = Partial<Record<keyof Plan, string>>;

const BOUNDS: Readonly<Record<Exclude<keyof Plan, "steps">, readonly [number, number]>> = {
    minStepSeconds: [0, 86_400],
    minRequests: [1, 10_000_000],
    maxRestarts: [0, 1000],
    stepDeadlineSeconds: [1, 604_800],
    bakeSeconds: [0, 604_800],
    phaseDeadlineSeconds: [5, 3600],
    cooldownSeconds: [0, 86_400],
    pauseDeadlineSeconds: [1, 604_800],
    shareRequests: [200, 100_000],
};

/** @throws ReleaseError with every problem: flag, value and allowed values */
export function parsePlan(flags: PlanFlags, defaults: Plan = DEFAULT_PLAN): Plan {
    const problems: string[] = [];
    const steps = flags.steps === undefined ? defaults.steps : readSteps(flags.steps, problems);
    const numbers = Object.fromEntries(
        Object.entries(BOUNDS).map(([name, [least, most]]) => {
            const key = name as keyof typeof BOUNDS;
            const given = flags[key];
            if (given === undefined) return [key, defaults[key]];
            const value = Number(given);
            if (!/^\d+$/.test(given) || value < least || value > most) {
                problems.push(
                    `--${toKebabCase(key)} is "${given}"; allowed: a whole number from ${least} to ${most}`,
                );
            }
            return [key, value];
        }),
    ) as unknown as Omit<Plan, "steps">;
    const plan = { ...numbers, steps };
    if (problems.length === 0 && plan.stepDeadlineSeconds <= plan.minStepSeconds) {
        problems.push(
            `--step-deadline-seconds is ${plan.stepDeadlineSeconds}; allowed: more than --min-step-seconds (${plan.minStepSeconds})`,
        );
    }
    if (problems.length > 0) throw new ReleaseError(problems.join("\n"));
    return plan;
}

function readSteps(text: string, problems: string[]): readonly number[] {
    const steps = text.split(",").map((step) => (/^\d+$/.test(step) ? Number(step) : NaN));
    const rising = steps.every(
        (step, index) => step >= 1 && step <= 100 && step > (steps[index - 1] ?? 0),
    );
    if (!rising || steps.at(-1) !== 100) {
        problems.push(
            `--steps is "${text}"; allowed: rising whole percentages separated by commas, the last one 100, such as 10,50,100`,
        );
    }
    return steps;
}

/** Converts a key to its spelling on the command line. */
export function toKebabCase(key: string): string {
    return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
