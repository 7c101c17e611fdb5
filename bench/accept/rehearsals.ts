import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import type { Evidence } from "../../operations/rehearse/evidence.ts";
import { REHEARSAL_NAMES } from "../../operations/rehearse/rehearsals.ts";
import type { Row, Verdict } from "./criteria.ts";

const VERDICTS: Readonly<Record<Evidence["verdict"], Verdict>> = {
    pass: "met",
    fail: "not met",
    "not-applicable": "not measured",
    interrupted: "not measured",
};

/** One row for each rehearsal, by its last evidence. @param folder with the evidence of `make rehearse` */
export function tabulateRehearsals(folder: string): readonly Row[] {
    return REHEARSAL_NAMES.map((name): Row => {
        const file = path.join(folder, `${name}.json`);
        const row = { from: "S13", criterion: `rehearsal: ${name}`, goal: "passes" };
        if (!existsSync(file)) {
            const measured = `make rehearse NAME=${name} has not run`;
            return { ...row, measured, workload: "", evidence: "", verdict: "not measured" };
        }
        const found = JSON.parse(readFileSync(file, "utf8")) as Evidence;
        const { verdict, reasons, figures, startedAt, traffic } = found;
        const words = figures.map((one) => `${one.name} ${one.value} ${one.unit}`.trim());
        return {
            ...row,
            measured: [verdict, ...reasons, ...words.slice(0, 3)].join("; "),
            workload:
                `${startedAt.slice(0, 16)}, ${Math.round(found.seconds)} s, ` +
                `${traffic.failed} of ${traffic.sent} requests failed`,
            evidence: file,
            verdict: VERDICTS[verdict],
        };
    });
}
