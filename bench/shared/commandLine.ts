import { invalidValue } from "@property-search/contract";

import { createProgress } from "../service/report/progress.ts";

/** Exit code of a run that was interrupted, as of any command that Ctrl-C ends. */
export const INTERRUPTED = 130;

/** A signal that Ctrl-C aborts with the reason. A second Ctrl-C ends the process. */
export function abortOnInterrupt(reason?: Error): AbortSignal {
    const interrupted = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.on(signal, () => {
            if (interrupted.signal.aborted) process.exit(INTERRUPTED);
            interrupted.abort(reason);
        });
    }
    return interrupted.signal;
}

/** Prints to stderr. Without a terminal, a line of progress every ten seconds is enough. */
export function createReporter() {
    const progress = createProgress(process.stderr);
    let last = 0;
    return {
        clear: progress.clear,
        report: (line: string): void => {
            progress.clear();
            console.error(line);
        },
        showProgress: (line: string): void => {
            if (!process.stderr.isTTY && (line === "" || Date.now() - last < 10_000)) return;
            last = Date.now();
            progress.show(line);
        },
    };
}

/** A parser of a list of some of the known names. */
export const parseSome =
    <Name extends string>(variable: string, all: readonly Name[]) =>
    (text: string): readonly Name[] => {
        const wanted = text.split(",").map((one) => one.trim());
        const known = all.filter((one) => wanted.includes(one));
        if (known.length === wanted.length && known.length > 0) return known;
        throw invalidValue(variable, text, `some of ${all.join(",")}`);
    };
