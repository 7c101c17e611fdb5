import { UserError } from "@property-search/contract";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { acquireFileLock } from "../stack/fileLock.ts";
import { requireNoOpenExercise } from "./courseState.ts";
import { evidenceFolder, journalFile, readJournal } from "./journal.ts";

/** @param cluster identity of the cluster */
export function lockFile(cluster: string): string {
    return path.join(evidenceFolder(), "running", `${cluster}.lock`);
}

/**
 * Takes a cluster for one command: a rehearsal, an exercise or an acceptance run would count the effects of another.
 *
 * @param cluster identity of the cluster
 * @param mayBeOpen what the command itself puts back or reports. Default: nothing
 * @returns the function that gives the cluster back
 * @throws UserError while another command has it, an exercise is open, or a rehearsal is not put back
 */
export async function lockCluster(
    cluster: string,
    command: string,
    mayBeOpen?: "rehearsal" | "exercise",
): Promise<() => Promise<void>> {
    const file = lockFile(cluster);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const release = await acquireFileLock(file, command, { where: " on this cluster" });
    try {
        if (mayBeOpen !== "exercise") await requireNoOpenExercise(cluster);
        if (mayBeOpen !== "rehearsal") await requirePutBack(cluster);
        return release;
    } catch (error) {
        await release();
        throw error;
    }
}

async function requirePutBack(cluster: string): Promise<void> {
    const journal = await readJournal(journalFile(cluster));
    if (!journal) return;
    throw new UserError(
        `rehearsal ${journal.rehearsal} was interrupted and is not put back; run make rehearse NAME=${journal.rehearsal} again`,
    );
}
