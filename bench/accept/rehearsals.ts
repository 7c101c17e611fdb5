import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import type { Row, Verdict } from "./criteria.ts";

/** Rehearsals of `make rehearse`; the format of their evidence is that of operations/rehearse/evidence.ts. */
const NAMES = [
    ...["rollback", "redis-loss", "redis-failover", "node-restart", "certificate-expiry"],
    ...["alertmanager-outage", "prometheus-disk-full", "restore-from-nothing", "backup-restore"],
] as const;

interface RehearsalEvidence {
    readonly verdict: "pass" | "fail" | "not-applicable" | "interrupted";
    readonly reasons?: readonly string[];
    readonly purpose?: string;
    readonly startedAt: string;
    readonly seconds: number;
    readonly traffic?: { readonly sent: number; readonly failed: number };
    readonly figures?: readonly {
        readonly name: string;
        readonly unit: string;
        readonly value: number;
    }[];
}

const VERDICTS: Readonly<Record<RehearsalEvidence["verdict"], Verdict>> = {
    pass: "met",
    fail: "not met",
    "not-applicable": "not measured",
    interrupted: "not measured",
};

/** One row for each rehearsal, by its last evidence. @param folder with the evidence of `make rehearse` */
export function tabulateRehearsals(folder: string): readonly Row[] {
    return NAMES.map((name): Row => {
        const file = path.join(folder, `${name}.json`);
        const row = { from: "S13", criterion: `rehearsal: ${name}`, goal: "passes" };
        if (!existsSync(file)) {
            const measured = `make rehearse NAME=${name} has not run`;
            return { ...row, measured, workload: "", evidence: "", verdict: "not measured" };
        }
        const found = JSON.parse(readFileSync(file, "utf8")) as RehearsalEvidence;
        const { verdict, reasons = [], figures = [], startedAt, traffic } = found;
        const words = figures.map((one) => `${one.name} ${one.value} ${one.unit}`.trim());
        return {
            ...row,
            measured: [verdict, ...reasons, ...words.slice(0, 3)].join("; "),
            workload:
                `${startedAt.slice(0, 16)}, ${Math.round(found.seconds)} s` +
                (traffic ? `, ${traffic.failed} of ${traffic.sent} requests failed` : ""),
            evidence: file,
            verdict: VERDICTS[verdict],
        };
    });
}

/** Whether there is any evidence. */
export function hasRehearsals(folder: string): boolean {
    return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".json"));
}
