import { ReleaseError } from "./error.ts";

/** How a switch goes. Times in seconds. */
export interface Plan {
    /** Weights of the candidate, rising, the last one 100. */
    readonly steps: readonly number[];
    /** A step is held for so long at least, however soon its verdict is there. */
    readonly hold: number;
    /** Requests that the candidate must have answered before a step can pass. */
    readonly samples: number;
    /** How often containers of the candidate may end and start again in a step; more is a fail. */
    readonly restarts: number;
    /** A step without a verdict until then is rolled back. */
    readonly stepDeadline: number;
    /** So long all traffic is watched at the candidate while the other colour stays at its size. */
    readonly bake: number;
    /** Pods must be there, and a route accepted and measured, within this. */
    readonly phaseDeadline: number;
    /** So long a colour keeps its size after its traffic was taken back from it. */
    readonly cool: number;
    /** A switch that was paused is rolled back after this. */
    readonly pauseDeadline: number;
    /** Requests by which the shares are measured at the gateway. */
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

/** For the command line's help. */
export const PLAN_DESCRIPTIONS: Readonly<Record<keyof Plan, string>> = {
    steps: "percents of the candidate",
    hold: "seconds that a step is held at least",
    samples: "requests of the candidate before a step can pass",
    restarts: "times that the candidate's containers may end in a step, as where nodes are lost",
    stepDeadline: "seconds until a step without a verdict is rolled back",
    bake: "seconds of watching with all traffic at the candidate",
    phaseDeadline: "seconds in which pods must be ready and the route in force",
    cool: "seconds that both colours keep their size after a way back",
    pauseDeadline: "seconds after which a paused switch is rolled back",
    shareSamples: "requests by which the shares are measured",
};

/** One way back in one step: nothing is tried out on the way to what served before. */
export const WAY_BACK: Pick<Plan, "steps" | "hold" | "bake"> = { steps: [100], hold: 0, bake: 0 };

/** What is given on the command line, all of it text. */
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

/** @throws ReleaseError with every finding, each naming the flag, its value and what is allowed */
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
            `--steps is "${text}"; allowed: rising whole percents with commas between, the last one 100, such as 10,50,100`,
        );
    }
    return steps;
}

/** @returns a key as it is written on the command line */
export function dashed(key: string): string {
    return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
