import { COPY, INTERPOLATION, METHODS, type Method } from "./methods.ts";
import type { StreamName } from "./streams.ts";

/** One simulated setting, repeated for each seed. */
export interface Task {
    readonly set: string;
    readonly model: string;
    readonly stream: StreamName;
    readonly method: Method;
    readonly budget: number;
    /** ρ; undefined: calibrated from overlap@10. */
    readonly minCosine: number | undefined;
}

export const BUDGETS = [0.005, 0.01, 0.02, 0.05] as const;
/** δ of the comparison of methods. */
export const MAIN_BUDGET = 0.02;
/** ρ of the comparison of methods. */
export const MAIN_COSINE = 0.9;

/**
 * All methods at the main δ and ρ; interpolation, in addition, at every δ and with a calibrated ρ. Tasks with
 * the same data follow each other.
 */
export function createTasks(
    sets: readonly string[],
    models: readonly string[],
    streams: readonly StreamName[],
): readonly Task[] {
    const main = { budget: MAIN_BUDGET, minCosine: MAIN_COSINE };
    const others = METHODS.filter(({ name }) => name === INTERPOLATION || name === COPY);
    const settings = [
        ...METHODS.map((method) => ({ ...main, method })),
        ...BUDGETS.filter((budget) => budget !== MAIN_BUDGET).flatMap((budget) =>
            others
                .filter(({ name }) => name === INTERPOLATION)
                .map((method) => ({ ...main, budget, method })),
        ),
        ...others
            .filter(({ name }) => name === INTERPOLATION)
            .map((method) => ({ ...main, minCosine: undefined, method })),
    ];
    return models.flatMap((model) =>
        sets.flatMap((set) =>
            streams.flatMap((stream) =>
                settings.map((setting) => ({ set, model, stream, ...setting })),
            ),
        ),
    );
}

/** @returns the name of a task's result */
export function taskName(task: Task, requests: number): string {
    const { set, model, stream, method, budget, minCosine } = task;
    const rho = minCosine ?? "calibrated";
    const delta = method.usesBudget ? `, δ ${budget}` : "";
    return `${set}, ${model}, ${stream} ${requests}, ${method.name}, ρ ${rho}${delta}`;
}
