import { ReleaseError } from "./error.ts";

/** Steps, deadlines and thresholds of a switch. */
export interface Plan {
    /** Weights of the candidate, rising, the last one 100. */
    readonly steps: readonly number[];
    /** Minimum duration of a step, even if it passes earlier. */
    readonly hold: number;
    /** Requests that the candidate must have answered before a step can pass. */
    readonly samples: number;
    /** Container restarts of the candidate that a step tolerates; more fail it. */
    readonly restarts: number;
    /** Deadline of a step; a step that has not passed by then is rolled back. */
    readonly stepDeadline: number;
    /** Duration of the analysis with all traffic at the candidate, while the other colour keeps its size. */
    readonly bake: number;
    /** Deadline for pods to become ready, and for a route to be accepted and measured. */
    readonly phaseDeadline: number;
    /** Time for which a colour keeps its size after a rollback. */
    readonly cool: number;
    /** Deadline of a pause; a switch that is paused for longer is rolled back. */
    readonly pauseDeadline: number;
    /** Requests that measure the shares at the gateway. */
    readonly shareSamples: number;
}

export const DEFAULT_PLAN: Plan = {
    steps: [10, 50, 100],
    hold: 60,
    samples: 400,
    restarts: 0,
    stepDeadline: 600,
    bake: 300,
    phaseDeadline: 300,
    cool: 30,
    pauseDeadline: 3600,
    shareSamples: 2000,
};

/** Help texts of the command line. */
export const PLAN_DESCRIPTIONS: Readonly<Record<keyof Plan, string>> = {
    steps: "weights of the candidate, in percent",
    hold: "minimum seconds per step",
    samples: "requests of the candidate before a step can pass",
    restarts: "container restarts tolerated per step (for example on node loss)",
    stepDeadline: "seconds until a step that has not passed is rolled back",
    bake: "seconds of analysis with all traffic at the candidate",
    phaseDeadline: "timeout in seconds for pods to become ready and for the route to take effect",
    cool: "seconds for which both colours keep their size after a rollback",
    pauseDeadline: "seconds until a paused switch is rolled back",
    shareSamples: "requests that measure the shares at the gateway",
};

/** Plan of a rollback: one step without analysis, since the target served before. */
export const WAY_BACK: Pick<Plan, "steps" | "hold" | "bake"> = { steps: [100], hold: 0, bake: 0 };

/** Options of the command line, as text. */
export type PlanFlags = Partial<Record<keyof Plan, string>>;

const BOUNDS: Readonly<Record<Exclude<keyof Plan, "steps">, readonly [number, number]>> = {
    hold: [0, 86_400],
    samples: [1, 10_000_000],
    restarts: [0, 1000],
    stepDeadline: [1, 604_800],
    bake: [0, 604_800],
    phaseDeadline: [5, 3600],
    cool: [0, 86_400],
    pauseDeadline: [1, 604_800],
    shareSamples: [200, 100_000],
};

/** @throws ReleaseError with every problem: flag, value and allowed values */
export function planOf(flags: PlanFlags, defaults: Plan = DEFAULT_PLAN): Plan {
    const findings: string[] = [];
    const steps = flags.steps === undefined ? defaults.steps : readSteps(flags.steps, findings);
    const numbers = Object.fromEntries(
        Object.entries(BOUNDS).map(([name, [least, most]]) => {
            const key = name as keyof typeof BOUNDS;
            const given = flags[key];
            if (given === undefined) return [key, defaults[key]];
            const value = Number(given);
            if (!/^\d+$/.test(given) || value < least || value > most) {
                findings.push(
                    `--${dashed(key)} is "${given}"; allowed: a whole number from ${least} to ${most}`,
                );
            }
            return [key, value];
        }),
    ) as unknown as Omit<Plan, "steps">;
    const plan = { ...numbers, steps };
    if (findings.length === 0 && plan.stepDeadline <= plan.hold) {
        findings.push(
            `--step-deadline is ${plan.stepDeadline}; allowed: more than --hold (${plan.hold})`,
        );
    }
    if (findings.length > 0) throw new ReleaseError(findings.join("\n"));
    return plan;
}

function readSteps(text: string, findings: string[]): readonly number[] {
    const steps = text.split(",").map((step) => (/^\d+$/.test(step) ? Number(step) : NaN));
    const rising = steps.every(
        (step, index) => step >= 1 && step <= 100 && step > (steps[index - 1] ?? 0),
    );
    if (!rising || steps.at(-1) !== 100) {
        findings.push(
            `--steps is "${text}"; allowed: rising whole percentages separated by commas, the last one 100, such as 10,50,100`,
        );
    }
    return steps;
}

/** Converts a key to its spelling on the command line. */
export function dashed(key: string): string {
    return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
