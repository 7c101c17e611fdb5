import type { Step } from "./shell.ts";

/** Work that runs beside the steps of a plan. */
export interface Background<T> {
    /** Waits for the work. @throws what the work threw. */
    readonly finish: (step: Step) => Promise<T>;
}

/** Begins work that a later step waits for; until then its failure is kept. */
export function begin<T>(own: Omit<Step, "say">, work: (step: Step) => Promise<T>): Background<T> {
    let latest = "";
    let show = (line: string) => {
        latest = line;
    };
    const say = (line: string) => {
        show(line);
    };
    const settled = work({ ...own, say }).then(
        (value) => () => value,
        (error: unknown) => () => {
            throw error;
        },
    );
    return {
        finish: async (step) => {
            show = step.say;
            if (latest !== "") show(latest);
            return (await settled)();
        },
    };
}
