import { hostname, userInfo } from "node:os";
import { randomUUID } from "node:crypto";

/** Who acts, such as `ann@laptop`. */
export function actor(): string {
    return `${userInfo().username}@${hostname()}`;
}

/** One driver: two of the same person on the same machine are two. */
export function newHolder(): string {
    return `${actor()}/${process.pid}-${randomUUID().slice(0, 8)}`;
}

/** Whether a holder was a process of this machine that has ended: then nobody needs to wait for it. */
export function isGone(holder: string): boolean {
    const [who, process_] = holder.split("/");
    const pid = Number(process_?.split("-")[0]);
    if (!who?.endsWith(`@${hostname()}`) || !Number.isInteger(pid)) return false;
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ESRCH";
    }
}
