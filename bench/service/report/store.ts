import { existsSync, readFileSync, rmSync } from "node:fs";

import type { Machine } from "../../shared/machine.ts";
import { resultFile, writeResult } from "../../shared/results.ts";
import type { Finding } from "./finding.ts";

/** A benchmark's whole result: bench/results/<name>.json. */
export interface Report {
    readonly name: string;
    readonly begun: string;
    readonly finished: string | undefined;
    readonly commit: string;
    readonly machine: Machine;
    readonly findings: readonly Finding[];
}

export interface Store {
    /** What an interrupted run of the same commit on the same machine has left, if anything. */
    readonly unfinished: () => Report | undefined;
    /** Kept after each finding, so that an interruption loses one trial at most. */
    readonly keep: (report: Report) => void;
    /** @returns the path of the whole report. */
    readonly finish: (report: Report) => string;
}

export function openStore(name: string, run: Pick<Report, "commit" | "machine">): Store {
    const partial = `${name}.partial`;
    const partialFile = resultFile(partial);
    return {
        keep: (report) => void writeResult(report, partial),
        unfinished: () => {
            if (!existsSync(partialFile)) return undefined;
            const report = JSON.parse(readFileSync(partialFile, "utf8")) as Report;
            const same =
                report.commit === run.commit &&
                JSON.stringify(report.machine) === JSON.stringify(run.machine);
            if (same) return report;
            rmSync(partialFile);
            return undefined;
        },
        finish: (report) => {
            rmSync(partialFile, { force: true });
            return writeResult(report);
        },
    };
}
