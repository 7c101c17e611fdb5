import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { EVIDENCE_SCHEMA, type Evidence } from "../../operations/rehearse/evidence.ts";
import { REHEARSAL_NAMES } from "../../operations/rehearse/rehearsals.ts";
import { describeOrigin, type Finding, type Row, type Verdict } from "./criteria.ts";
import { isRecent, type Subject } from "./store.ts";

const VERDICTS: Readonly<Record<Evidence["verdict"], Verdict>> = {
    pass: "met",
    fail: "not met",
    "not-applicable": "not measured",
    interrupted: "not measured",
};

/**
 * One row for each rehearsal, by its last evidence. Of another commit or cluster, too old, or quick in a run that is not, it
 * is shown and decides nothing.
 *
 * @param folder with the evidence of `make rehearse`
 */
export function tabulateRehearsals(folder: string, run: Subject): readonly Row[] {
    return REHEARSAL_NAMES.map((name): Row => {
        const file = path.join(folder, `${name}.json`);
        const row = { from: "S13", criterion: `rehearsal: ${name}`, goal: "passes" };
        const unknown = { ...row, workload: "", verdict: "not measured" } as const;
        if (!existsSync(file))
            return { ...unknown, measured: `make rehearse NAME=${name} has not run`, evidence: "" };
        try {
            return { ...row, ...judge(parse(file), run), evidence: file };
        } catch (error) {
            const measured = `${name}.json is not the evidence of a rehearsal: ${String(error)}`;
            return { ...unknown, measured, evidence: file };
        }
    });
}

function parse(file: string): Evidence {
    const read = JSON.parse(readFileSync(file, "utf8")) as Evidence | null;
    const { schema }: { readonly schema?: string } = read ?? {};
    if (read && schema === EVIDENCE_SCHEMA && Object.hasOwn(VERDICTS, read.verdict)) return read;
    throw new Error(`schema ${schema ?? "none"}, verdict ${read?.verdict ?? "none"}`);
}

function judge(found: Evidence, run: Subject): Finding {
    const { verdict, reasons, figures, startedAt, traffic, commit, quick } = found;
    const words = figures.map((one) => `${one.name} ${one.value} ${one.unit}`.trim());
    const measured = [verdict, ...reasons, ...words.slice(0, 3)].join("; ");
    const workload =
        `${startedAt.slice(0, 16)}, ${Math.round(found.seconds)} s, ` +
        `${traffic.failed} of ${traffic.sent} requests failed`;
    const origin = { commit, quick, begun: startedAt, cluster: found.cluster.id };
    return isRecent(origin, run) && (run.quick || !quick)
        ? { measured, workload, verdict: VERDICTS[verdict] }
        : { measured: `${describeOrigin(origin)}: ${measured}`, workload, verdict: "not measured" };
}
