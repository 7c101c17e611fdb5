import type { Command } from "commander";
import path from "node:path";
import { connectStack } from "../deploy/connectStack.ts";
import { clusterId } from "../deploy/binding.ts";
import { readEvidence } from "../rehearse/evidence.ts";
import { lockFile } from "../rehearse/clusterLock.ts";
import { evidenceFolder, journalFile, readJournal } from "../rehearse/journal.ts";
import { findRehearsal, REHEARSALS } from "../rehearse/rehearsals.ts";
import { rehearseAll, rehearseOne, type SessionOptions } from "../rehearse/session.ts";
import { readLockHolder } from "../stack/fileLock.ts";
import {
    connectTarget,
    interruption,
    report,
    withDisturbOptions,
    withInterruptMessage,
    type DisturbTarget,
} from "./target.ts";

interface RehearseFlags extends DisturbTarget {
    readonly name?: string;
    readonly out: string;
    readonly quick: boolean;
}

/** Rehearsals of incidents. */
export function addRehearseCommands(program: Command): void {
    withInterruptMessage(
        withDisturbOptions(program.command("rehearse")),
        "interrupted; everything is put back. Run the same command again to continue",
    )
        .description("rehearse an incident and write its evidence (docs/rehearsals.md)")
        .option("--name <name>", "rehearsal, or all; default: list them")
        .option("--out <folder>", "folder of evidence files", evidenceFolder())
        .option("--quick", "wait for alerts with a long `for` only until they are pending", false)
        .action(async ({ name, out, quick, confirm, ...target }: RehearseFlags) => {
            if (name === undefined) {
                await list(out);
                return;
            }
            if (name !== "all") findRehearsal(name);
            const options: SessionOptions = {
                ...(await connectTarget(target)),
                ...{ quick, confirm, report, find: findRehearsal },
                contextWords: target.context === undefined ? [] : [`CONTEXT=${target.context}`],
                out: path.resolve(out),
                signal: interruption.signal,
            };
            const verdicts =
                name === "all"
                    ? await rehearseAll(REHEARSALS, options)
                    : [await rehearseOne(findRehearsal(name), options)];
            if (verdicts.includes("interrupted")) process.exitCode = 130;
            else if (verdicts.includes("fail")) process.exitCode = 2;
        });
}

async function list(out: string): Promise<void> {
    const evidence = await readEvidence(path.resolve(out));
    console.log("make rehearse NAME=… [QUICK=1]; NAME=all runs them one by one\n");
    for (const { name, purpose, duration, localOnly } of REHEARSALS) {
        const last = evidence.find(({ rehearsal }) => rehearsal === name);
        const minutes = (seconds: number) => `${Math.ceil(seconds / 60)} min`;
        const state = last === undefined ? "not rehearsed" : `${last.verdict} at ${last.startedAt}`;
        const quick = duration.quick < duration.whole ? ` (quick ${minutes(duration.quick)})` : "";
        console.log(`  ${name}: ${minutes(duration.whole)}${quick}, ${state}`);
        console.log(
            `      ${purpose}${localOnly === true ? " Only on the cluster of make up." : ""}`,
        );
    }
    console.log(`\nEvidence: ${path.resolve(out)}`);
    await reportUnfinished();
}

/** A command that disturbs the cluster now, or a rehearsal whose process was killed. */
async function reportUnfinished(): Promise<void> {
    try {
        const id = await clusterId(await connectStack({}));
        const holder = await readLockHolder(lockFile(id));
        const journal = await readJournal(journalFile(id));
        if (holder) console.log(`Running: ${holder.command} (process ${holder.pid})`);
        else if (journal) console.log(`Not put back yet: ${journal.rehearsal}; run it again`);
    } catch {
        // Without a cluster there is nothing to put back.
    }
}
