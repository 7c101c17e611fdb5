import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import type { Machine } from "../../shared/machine.ts";
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

const FOLDER = path.resolve(import.meta.dirname, "../../results");

export function openStore(name: string, run: Pick<Report, "commit" | "machine">): Store {
    const partial = path.join(FOLDER, `${name}.partial.json`);
    const whole = path.join(FOLDER, `${name}.json`);

    function keep(report: Report): void {
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(`${partial}.new`, `${JSON.stringify(report, undefined, 2)}\n`);
        renameSync(`${partial}.new`, partial);
    }

    return {
        keep,
        unfinished: () => {
            if (!existsSync(partial)) return undefined;
            const report = JSON.parse(readFileSync(partial, "utf8")) as Report;
            const same =
                report.commit === run.commit &&
                JSON.stringify(report.machine) === JSON.stringify(run.machine);
            if (same) return report;
            rmSync(partial);
            return undefined;
        },
        finish: (report) => {
            keep(report);
            renameSync(partial, whole);
            return path.relative(process.cwd(), whole);
        },
    };
}
