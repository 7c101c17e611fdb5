import { UserError } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isRunning, processStart, type ProcessRecord } from "./processes.ts";

/** The process that holds a lock. */
export interface LockHolder extends ProcessRecord {
    /** Such as `make rehearse NAME=redis-loss`. */
    readonly command: string;
}

interface LockOptions {
    /** Milliseconds to wait for a running holder. Default: 0 */
    readonly waitMilliseconds?: number;
    /** Where the holder runs, for the error. Default: this machine */
    readonly where?: string;
}

const POLL_MILLISECONDS = 50;

/**
 * Takes a lock for this process; one whose holder has ended is taken over.
 *
 * @param command what holds the lock, for the error of others
 * @returns the function that releases the lock
 * @throws UserError while another process holds it
 */
export async function acquireFileLock(
    file: string,
    command: string,
    { waitMilliseconds = 0, where = "" }: LockOptions = {},
): Promise<() => Promise<void>> {
    await mkdir(path.dirname(file), { recursive: true });
    const own: LockHolder = { command, pid: process.pid, start: processStart(process.pid) };
    // A link appears with its content, so no process reads a half-written lock.
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(own));
    try {
        const deadline = Date.now() + waitMilliseconds;
        while (!(await tryLink(draft, file))) {
            const holder = await readLockHolder(file);
            if (holder === undefined) await removeStaleLock(file);
            else if (Date.now() < deadline) await delay(POLL_MILLISECONDS);
            else
                throw new UserError(
                    `${holder.command} is running${where} (process ${holder.pid}); wait until it ends. ` +
                        `If process ${holder.pid} is something else, delete ${file}`,
                );
        }
    } finally {
        await rm(draft, { force: true });
    }
    return () => rm(file, { force: true });
}

/** @returns undefined if there is no lock, its holder has ended, or a crash of the machine damaged it */
export async function readLockHolder(file: string): Promise<LockHolder | undefined> {
    try {
        const holder = JSON.parse(await readFile(file, "utf8")) as LockHolder;
        return isRunning(holder) ? holder : undefined;
    } catch {
        return undefined;
    }
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

/**
 * Removes the lock of a process that has ended. Another process may have replaced it since it was read, so the removed
 * file is read again and restored if its holder is running.
 */
async function removeStaleLock(file: string): Promise<void> {
    const aside = `${file}.${randomUUID()}`;
    try {
        await rename(file, aside);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
        throw error;
    }
    if (await readLockHolder(aside)) await tryLink(aside, file);
    await rm(aside, { force: true });
}
