import { hostname, userInfo } from "node:os";
import { randomUUID } from "node:crypto";
import { isProcessAlive } from "../../stack/processes.ts";

/** User and host of this process, such as `ann@laptop`. */
export function currentActor(): string {
    return `${userInfo().username}@${hostname()}`;
}

/** Unique lease identity of this driver. */
export function createHolderId(): string {
    return `${currentActor()}/${process.pid}-${randomUUID().slice(0, 8)}`;
}

/** Whether a holder was a process of this machine that has exited; then its lease need not expire. */
export function hasExited(holder: string): boolean {
    const [who, process_] = holder.split("/");
    const pid = Number(process_?.split("-")[0]);
    if (!who?.endsWith(`@${hostname()}`) || !Number.isInteger(pid)) return false;
    return !isProcessAlive(pid);
}
