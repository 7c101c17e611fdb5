import { hostname, userInfo } from "node:os";
import { randomUUID } from "node:crypto";
import { isRunning, processStart } from "../../stack/processes.ts";

/** User and host of this process, such as `ann@laptop`. */
export function currentActor(): string {
    return `${userInfo().username}@${hostname()}`;
}

/** Unique lease identity of this driver, such as `ann@laptop/4711-5f1c02aa-120394-9c3b6e10`. */
export function createHolderId(): string {
    const start = processStart(process.pid) ?? "";
    return `${currentActor()}/${process.pid}-${start}-${randomUUID().slice(0, 8)}`;
}

/** Whether a holder was a process of this machine that has exited; then its lease need not expire. */
export function hasExited(holder: string): boolean {
    const [actor, id = ""] = holder.split("/");
    const [, pid, start] = /^(\d+)-(.*)-[^-]+$/.exec(id) ?? [];
    return (
        actor?.endsWith(`@${hostname()}`) === true &&
        pid !== undefined &&
        !isRunning({ pid: Number(pid), start })
    );
}
