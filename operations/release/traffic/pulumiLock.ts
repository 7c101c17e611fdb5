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
    /** Folder of a backend of files; undefined for one that is elsewhere. */
    readonly backendFolder: string | undefined;
    /** Seconds to wait for others' updates of the stack. Default 300. */
    readonly patience?: number;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
}

/** Others' updates of the stack did not end while this one was waited for; nothing was changed. */
export class StackLocked extends ReleaseError {
    override readonly name = "StackLocked";
}

const POLL_MILLISECONDS = 1000;
const PATIENCE_SECONDS = 300;
const TAIL_LINES = 15;

/**
 * Updates a stack as soon as no other update does. Locks whose process has died on this machine are
 * removed; any other stays, since nobody can see from here whether its update goes on.
 *
 * @throws StackLocked with who holds it, when that takes too long or the signal comes first; Rejected when
 * the same update would fail again; ReleaseError when it fails otherwise.
 */
export async function whenUnlocked(
    options: LockOptions,
    update: () => Promise<void>,
): Promise<void> {
    const { stack, backendFolder, patience = PATIENCE_SECONDS, report, signal } = options;
    const deadline = Date.now() + patience * 1000;
    let told = "";
    for (;;) {
        try {
            await update();
            return;
        } catch (error) {
            // The SDK knows the words of backends of files, too (pulumi/pulumi#11108).
            if (!(error instanceof ConcurrentUpdateError)) throw explain(error, stack.name);
            if (await releaseDeadLocks(backendFolder, PROJECT, stack.name)) {
                report("an update before this one was killed: its lock is released");
                continue;
            }
            const holders = holdersOf(error);
            const refused = new StackLocked(
                `stack ${stack.name} is being updated by ${holders}, and was not free within ${patience} s; ` +
                    "the weights are unchanged. Try again when that update has ended; if it has died, " +
                    `pulumi cancel --stack ${stack.name} frees the stack.`,
            );
            if (Date.now() >= deadline) throw refused;
            if (told !== holders)
                report(`waiting: stack ${stack.name} is being updated by ${holders}`);
            told = holders;
            await delay(POLL_MILLISECONDS, undefined, signal && { signal }).catch(() => {
                throw refused;
            });
        }
    }
}

/** Who holds the locks, as a file backend says: `ann@laptop (pid 12) at 2026-11-25T…`. */
function holdersOf({ message }: Error): string {
    const found = [...message.matchAll(/created by (\S+ \(pid \d+\) at \S+)/g)];
    return [...new Set(found.map(([, holder]) => holder))].join(", ") || "somebody else";
}

/** Words of failures that no further try mends: of the program, of the CLI about the config, and of secrets. */
const LASTING: readonly RegExp[] = [
    /the stack's config has \d+ finding/,
    /a cluster has one stack only|is bound to the cluster whose/,
    /with configuration key .* must be of type/,
    /missing required configuration/i,
    /passphrase must be set|incorrect passphrase/,
    /failed to decrypt/,
    /could not (?:load|parse|unmarshal) .*Pulumi\.\S+\.yaml/,
    /\[mandatory\]/i,
];

/** As the driver is told of a failed update; whether it lasts is read from its words, the API has no code of it. */
export function explain(error: unknown, stack: string): unknown {
    if (!(error instanceof CommandError)) return error;
    const { message } = error;
    const tail = message.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
    const words = `the update of stack ${stack} failed:\n${tail}`;
    return LASTING.some((one) => one.test(message)) ? new Rejected(words) : new ReleaseError(words);
}
