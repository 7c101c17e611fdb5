import { existsSync, readFileSync, rmSync } from "node:fs";

import type { Machine } from "../../shared/machine.ts";
import { resultFile, writeResult } from "../../shared/results.ts";
import type { BenchmarkResult } from "./result.ts";

/** The results of a run: bench/results/<name>.json. */
export interface Report {
    readonly name: string;
    readonly begun: string;
    readonly finished: string | undefined;
    readonly commit: string;
    readonly machine: Machine;
    readonly results: readonly BenchmarkResult[];
}

export interface Store {
    /** The results of an interrupted run of the same commit on the same machine, if any. */
    readonly loadPartial: () => Report | undefined;
    /** Called after each result, so that an interruption loses at most one benchmark. */
    readonly savePartial: (report: Report) => void;
    /** @returns the path of the report */
    readonly saveFinal: (report: Report) => string;
}

export function createStore(name: string, run: Pick<Report, "commit" | "machine">): Store {
    const partial = `${name}.partial`;
    const partialFile = resultFile(partial);
    return {
        savePartial: (report) => void writeResult(report, partial),
        loadPartial: () => {
            if (!existsSync(partialFile)) return undefined;
            const report = JSON.parse(readFileSync(partialFile, "utf8")) as Report;
            const same =
                report.commit === run.commit &&
                JSON.stringify(report.machine) === JSON.stringify(run.machine);
            if (same) return report;
            rmSync(partialFile);
            return undefined;
        },
        saveFinal: (report) => {
            rmSync(partialFile, { force: true });
            return writeResult(report);
        },
    };
}
