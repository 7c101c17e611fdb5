import type { Step } from "./shell.ts";

/** Work that runs in parallel to the steps of a plan. */
export interface Background<T> {
    /** Waits for the work. @throws what the work threw. */
    readonly wait: (step: Step) => Promise<T>;
}

/** Starts work that a later step waits for; a failure is reported there. */
export function startInBackground<T>(
    own: Omit<Step, "report">,
    work: (step: Step) => Promise<T>,
): Background<T> {
    let latest = "";
    let show = (line: string) => {
        latest = line;
    };
    const report = (line: string) => {
        show(line);
    };
    const settled = work({ ...own, report }).then(
        (value) => () => value,
        (error: unknown) => () => {
            throw error;
        },
    );
    return {
        wait: async (step) => {
            show = step.report;
            if (latest !== "") show(latest);
            return (await settled)();
        },
    };
}
