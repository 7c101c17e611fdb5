import { PROJECT } from "../../deploy/pulumi/workspace.ts";
import { releaseDeadLocks } from "../../deploy/pulumi/locks.ts";
import {
    CommandError,
    ConcurrentUpdateError,
    type Stack,
} from "@pulumi/pulumi/automation/index.js";
import { setTimeout as delay } from "node:timers/promises";
import { Rejected, ReleaseError } from "../error.ts";

export interface LockOptions {
    readonly stack: Stack;
    /** Folder of a file backend; undefined for any other backend. */
    readonly backendFolder: string | undefined;
    /** Seconds to wait for other updates of the stack. Default: 300 */
    readonly lockTimeoutSeconds?: number;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
}

/** Other updates of the stack did not end in time; nothing was changed. */
export class StackLocked extends ReleaseError {
    override readonly name = "StackLocked";
}

const POLL_MILLISECONDS = 1000;
const LOCK_TIMEOUT_SECONDS = 300;
const TAIL_LINES = 15;

/**
 * Updates a stack as soon as it is unlocked. Locks of dead processes of this machine are removed; all other locks stay,
 * since their updates may still be running.
 *
 * @throws StackLocked with the lock's holder on a timeout or an abort; Rejected if the same update would fail again;
 * ReleaseError for any other failure
 */
export async function updateWhenUnlocked(
    options: LockOptions,
    update: () => Promise<void>,
): Promise<void> {
    const {
        stack,
        backendFolder,
        lockTimeoutSeconds = LOCK_TIMEOUT_SECONDS,
        report,
        signal,
    } = options;
    const deadline = Date.now() + lockTimeoutSeconds * 1000;
    let reported = "";
    for (;;) {
        try {
            await update();
            return;
        } catch (error) {
            // The SDK detects the messages of file backends, too (pulumi/pulumi#11108).
            if (!(error instanceof ConcurrentUpdateError)) throw toReleaseError(error, stack.name);
            if (await releaseDeadLocks(backendFolder, PROJECT, stack.name)) {
                report("released the lock of an earlier update that was killed");
                continue;
            }
            const holders = lockHolders(error);
            const refused = new StackLocked(
                `stack ${stack.name} is being updated by ${holders}, and was not unlocked within ${lockTimeoutSeconds} s; ` +
                    "the weights are unchanged. Try again when that update has ended; if its process has died, " +
                    `pulumi cancel --stack ${stack.name} unlocks the stack.`,
            );
            if (Date.now() >= deadline) throw refused;
            if (reported !== holders)
                report(`waiting: stack ${stack.name} is being updated by ${holders}`);
            reported = holders;
            await delay(POLL_MILLISECONDS, undefined, signal && { signal }).catch(() => {
                throw refused;
            });
        }
    }
}

/** Holders of the locks in a file backend's error: `ann@laptop (pid 12) at 2026-11-25T…`. */
function lockHolders({ message }: Error): string {
    const found = [...message.matchAll(/created by (\S+ \(pid \d+\) at \S+)/g)];
    return [...new Set(found.map(([, holder]) => holder))].join(", ") || "another process";
}

/** Messages of failures that a retry cannot fix: of the program, of the CLI about the config, and of secrets. */
const PERMANENT_FAILURES: readonly RegExp[] = [
    /the stack's config has \d+ error/,
    /a cluster has one stack only|is bound to the cluster whose|names no cluster yet/,
    /with configuration key .* must be of type/,
    /missing required configuration/i,
    /passphrase must be set|incorrect passphrase/,
    /failed to decrypt/,
    /could not (?:load|parse|unmarshal) .*Pulumi\.\S+\.yaml/,
    /\[mandatory\]/i,
];

/** Converts a failed update to a ReleaseError; its message tells whether it is permanent, since the API has no code. */
function toReleaseError(error: unknown, stack: string): unknown {
    if (!(error instanceof CommandError)) return error;
    const { message } = error;
    const tail = message.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
    const words = `the update of stack ${stack} failed:\n${tail}`;
    return isPermanentFailure(message) ? new Rejected(words) : new ReleaseError(words);
}

/** Whether a failed update would fail again. */
export function isPermanentFailure(message: string): boolean {
    return PERMANENT_FAILURES.some((one) => one.test(message));
}
