import { Listr, type ListrTask } from "listr2";
import { logFile, type Step } from "./shell.ts";

/** What a step changes of its line in the list. */
interface Line {
    title: string;
    output: string;
}

/** Makes tasks with a log of their own, a line of progress, and their time in the title. */
export type Steps<C> = (
    title: string,
    log: string,
    work: (run: Step, state: C) => Promise<void>,
) => ListrTask<C>;

export function steps<C>(signal: AbortSignal): Steps<C> {
    return (title, log, work) => ({
        title,
        task: async (state: C, task: Line) => {
            const started = Date.now();
            const report = (line: string) => {
                task.output = line;
            };
            await work({ log: logFile(log), signal, report }, state).catch(shorten);
            task.title = `${title} (${((Date.now() - started) / 1000).toFixed(0)} s)`;
        },
    });
}

/** The list shows an error at every level of it; all of it is shown once, at the end. */
function shorten(error: unknown): never {
    const [first = ""] = error instanceof Error ? error.message.split("\n") : [String(error)];
    throw new Error(first, { cause: error });
}

/** Runs tasks one after the other: a live list on a terminal, plain lines elsewhere. */
export async function runTasks<C extends object>(context: C, tasks: ListrTask<C>[]): Promise<void> {
    await new Listr(tasks, {
        renderer: process.stdout.isTTY ? "default" : "simple",
        rendererOptions: { collapseSubtasks: false },
        registerSignalListeners: false,
    })
        .run(context)
        .catch((error: unknown) => {
            throw error instanceof Error && error.cause !== undefined ? error.cause : error;
        });
}
