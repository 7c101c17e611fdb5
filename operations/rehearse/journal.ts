import { UserError } from "@property-search/contract";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { userStateFolder } from "../stack/stateFolder.ts";

/** What is not yet put back, by a run that has not ended. Survives the process. */
export interface Journal {
    readonly rehearsal: string;
    /** ISO 8601. */
    readonly startedAt: string;
    /** State before the fault, for `putBack`. Null: nothing was changed yet. */
    readonly saved: unknown;
}

/** Default folder of evidence files. */
export function evidenceFolder(): string {
    return path.join(userStateFolder(), "rehearsals");
}

/** @param cluster identity of the cluster: each has its own journal, wherever the evidence goes */
export function journalFile(cluster: string, folder = evidenceFolder()): string {
    return path.join(folder, "running", `${cluster}.json`);
}

/** @returns undefined if no rehearsal is running or was interrupted */
export async function readJournal(file: string): Promise<Journal | undefined> {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    try {
        return JSON.parse(text) as Journal;
    } catch {
        throw new UserError(`${file} is damaged; check the cluster (make verify), then delete it`);
    }
}

export async function writeJournal(file: string, journal: Journal): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    // It may contain a copy of a Secret.
    await writeFile(`${file}.part`, JSON.stringify(journal), { mode: 0o600 });
    await rename(`${file}.part`, file);
}

export async function removeJournal(file: string): Promise<void> {
    await rm(file, { force: true });
}

/** Path of a new backup of Redis from which an interrupted run is put back: outside of the run's folder. */
export async function createPutBackFile(): Promise<string> {
    const running = path.join(evidenceFolder(), "running");
    await mkdir(running, { recursive: true, mode: 0o700 });
    return path.join(running, `redis-${Date.now()}.gz`);
}
