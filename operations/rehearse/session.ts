import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { clusterId } from "../deploy/binding.ts";
import { assertMayDisturb, isLocalCluster } from "./clusterGuard.ts";
import { lockCluster } from "./clusterLock.ts";
import type { Verdict } from "./evidence.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { putBackInterrupted, runRehearsal, type RunOptions } from "./run.ts";

export interface SessionOptions extends RunOptions {
    /** Context of a cluster to disturb that is not local. */
    readonly confirm?: string | undefined;
}

/** Runs one rehearsal and reports its evidence. */
export async function rehearseOne(rehearsal: Rehearsal, options: SessionOptions): Promise<Verdict> {
    const { cluster, confirm, report } = options;
    const { name, localOnly = false } = rehearsal;
    const command = `make rehearse NAME=${name}`;
    const isLocal = await isLocalCluster(cluster);
    assertMayDisturb({ cluster, command, confirm, localOnly }, isLocal);
    const release = await lockCluster(await clusterId(cluster), command, "rehearsal");
    try {
        await putBackInterrupted(options);
        report(`${name}: ${rehearsal.purpose}`);
        return reportEvidence(await runRehearsal(rehearsal, options), report);
    } finally {
        await release();
    }
}

function reportEvidence(
    { evidence, file }: Awaited<ReturnType<typeof runRehearsal>>,
    report: SessionOptions["report"],
): Verdict {
    for (const { name: what, value, unit, goal, met } of evidence.figures) {
        const words =
            goal === undefined ? "" : ` (goal ${goal}: ${met === true ? "met" : "missed"})`;
        report(`${what}: ${value} ${unit}`.trimEnd() + words);
    }
    for (const reason of evidence.reasons) report(reason);
    console.log(
        `${evidence.rehearsal}: ${evidence.verdict} after ${evidence.seconds.toFixed(0)} s; evidence: ${file}`,
    );
    return evidence.verdict;
}

/** Verdicts of a session that has not ended, by name of the rehearsal. */
type Progress = Record<string, Verdict>;

/**
 * Runs all rehearsals, one by one. After an interruption, the next call continues with those that have not ended. On a
 * cluster that is not local, those for the local one are left out.
 */
export async function rehearseAll(
    rehearsals: readonly Rehearsal[],
    options: SessionOptions,
): Promise<Verdict[]> {
    const { cluster, out, report, signal } = options;
    const file = path.join(out, "session", "all.json");
    const done = await readProgress(file);
    const isLocal = await isLocalCluster(cluster);
    for (const rehearsal of rehearsals) {
        const { name, localOnly = false } = rehearsal;
        if (localOnly && !isLocal) {
            report(`${name} is left out: it is for the cluster of make up only`);
            continue;
        }
        if (done[name] !== undefined) {
            report(`${name} has ended before the interruption: ${done[name]}`);
            continue;
        }
        const verdict = await rehearseOne(rehearsal, options);
        if (verdict === "interrupted" || signal.aborted) return [...Object.values(done), verdict];
        done[name] = verdict;
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, JSON.stringify(done));
    }
    await rm(file, { force: true });
    for (const [name, verdict] of Object.entries(done)) console.log(`${name}: ${verdict}`);
    return Object.values(done);
}

async function readProgress(file: string): Promise<Progress> {
    const text = await readFile(file, "utf8").catch(() => "{}");
    try {
        return JSON.parse(text) as Progress;
    } catch {
        return {};
    }
}
