import { UserError } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { isProcessAlive, processStart } from "../stack/processes.ts";
import { requireNoOpenExercise } from "./courseState.ts";
import { evidenceFolder, journalFile, readJournal } from "./journal.ts";

/** A command that disturbs or measures a cluster, and must be alone there. */
export interface Holder {
    /** Such as `make rehearse NAME=redis-loss`. */
    readonly command: string;
    readonly pid: number;
    /** Of processStart: a later process may have the same id. Absent: unknown */
    readonly start?: string | undefined;
}

/** @param cluster identity of the cluster */
export function lockFile(cluster: string): string {
    return path.join(evidenceFolder(), "running", `${cluster}.lock`);
}

/** The command that holds a lock; undefined if there is none or its process has ended. */
export async function readHolder(file: string): Promise<Holder | undefined> {
    const text = await readFile(file, "utf8").catch(() => undefined);
    return text === undefined ? undefined : parseRunning(text, file);
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
    await takeLock(file, command);
    const release = () => rm(file, { force: true });
    try {
        if (mayBeOpen !== "exercise") await requireNoOpenExercise(cluster);
        if (mayBeOpen !== "rehearsal") await requirePutBack(cluster);
        return release;
    } catch (error) {
        await release();
        throw error;
    }
}

async function takeLock(file: string, command: string): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const holder: Holder = { command, pid: process.pid, start: processStart(process.pid) };
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(holder));
    try {
        // A link has its whole content at once, and is not made if there is one.
        while (!(await tryLink(draft, file))) await removeStale(file);
    } finally {
        await rm(draft, { force: true });
    }
}

/** @throws UserError if the holder of a lock is running */
async function removeStale(file: string): Promise<void> {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return;
    const holder = parseRunning(text, file);
    if (holder) {
        throw new UserError(
            `${holder.command} is running on this cluster (process ${holder.pid}); wait until it ends. ` +
                `If process ${holder.pid} is something else, delete ${file}`,
        );
    }
    const old = `${file}.${randomUUID()}`;
    await rename(file, old).catch(() => undefined);
    // Another process was faster: this is its lock, not the old one.
    if ((await readFile(old, "utf8").catch(() => text)) !== text) await tryLink(old, file);
    await rm(old, { force: true });
}

async function tryLink(from: string, to: string): Promise<boolean> {
    try {
        await link(from, to);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
    }
}

function parseRunning(text: string, file: string): Holder | undefined {
    try {
        const holder = JSON.parse(text) as Holder;
        if (!isProcessAlive(holder.pid)) return undefined;
        return holder.start === processStart(holder.pid) ? holder : undefined;
    } catch {
        throw new UserError(`${file} is damaged; delete it if nothing disturbs the cluster`);
    }
}

async function requirePutBack(cluster: string): Promise<void> {
    const journal = await readJournal(journalFile(cluster));
    if (!journal) return;
    throw new UserError(
        `rehearsal ${journal.rehearsal} was interrupted and is not put back; run make rehearse NAME=${journal.rehearsal} again`,
    );
}
