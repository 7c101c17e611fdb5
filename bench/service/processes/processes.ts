import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import path from "node:path";

import { BenchError } from "../../shared/error.ts";

export interface StartOptions {
    readonly name: string;
    /** The one core that it and its children may use. */
    readonly core: number;
    /** It has the core only while nothing else wants it (sched(7), SCHED_IDLE). */
    readonly idle?: true;
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
}

export interface Running {
    /** Of the leader of its process group. */
    readonly pid: number;
    /** What it printed last, for an error message. */
    readonly said: () => string;
    readonly ended: () => boolean;
    readonly stop: () => Promise<void>;
}

/** Starts what a benchmark needs so that none of it outlives the benchmark, however that ends. */
export interface Processes {
    /** For logs and configurations; gone with the processes. */
    readonly folder: string;
    readonly start: (command: string, args: readonly string[], options: StartOptions) => Running;
    readonly end: () => void;
}

/**
 * Waits for the end of its input, which comes also when this process is killed, and then kills the
 * process groups that it was told of and not told to forget.
 */
const REAPER = `
live=
while read -r word group; do
    if [ "$word" = begun ]; then live="$live $group"
    else live=$(printf ' %s' $(printf '%s\\n' $live | grep -vx "$group")); fi
done
for group in $live; do kill -KILL -- "-$group" 2>/dev/null; done
rm -rf -- "$1"
`;
const GRACE_MILLISECONDS = 5_000;
const SAID_CHARACTERS = 1_500;

export function openProcesses(): Processes {
    const folder = mkdtempSync(path.join(tmpdir(), "property-search-bench-"));
    // In a group of its own: Ctrl-C goes to the whole foreground group.
    const reaper = spawn("sh", ["-c", REAPER, "reaper", folder], {
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
    });
    const live = new Set<number>();

    function start(command: string, args: readonly string[], options: StartOptions): Running {
        const logFile = path.join(folder, `${options.name}.log`);
        const log = openSync(logFile, "a");
        const policy = options.idle ? ["chrt", "--idle", "0"] : [];
        const onCore = ["-c", String(options.core), ...policy, command, ...args];
        const child = spawn("taskset", onCore, {
            detached: true,
            stdio: ["ignore", log, log],
            env: { ...process.env, ...options.env },
            ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        });
        closeSync(log);
        const { pid } = child;
        if (pid === undefined) throw new BenchError("taskset is missing: install util-linux");
        if (options.idle) yieldSession(pid);
        live.add(pid);
        reaper.stdin.write(`begun ${pid}\n`);
        return {
            pid,
            said: () => readFileSync(logFile, "utf8").slice(-SAID_CHARACTERS),
            ended: () => hasEnded(child),
            stop: async () => {
                signalGroup(pid, "SIGTERM");
                const killing = setTimeout(() => signalGroup(pid, "SIGKILL"), GRACE_MILLISECONDS);
                if (!hasEnded(child)) await once(child, "exit");
                clearTimeout(killing);
                signalGroup(pid, "SIGKILL");
                live.delete(pid);
                reaper.stdin.write(`ended ${pid}\n`);
            },
        };
    }

    return {
        folder,
        start,
        end: () => {
            for (const pid of live) signalGroup(pid, "SIGKILL");
            live.clear();
            rmSync(folder, { recursive: true, force: true });
            reaper.stdin.end();
        },
    };
}

/** Where the kernel shares out time by sessions first, a policy counts within one only (sched(7), autogroup). */
function yieldSession(pid: number): void {
    try {
        writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW));
    } catch {
        // This kernel has no such groups.
    }
}

function hasEnded(child: ChildProcess): boolean {
    return child.exitCode !== null || child.signalCode !== null;
}

/** A group that is gone already is what was wanted. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
    try {
        process.kill(-group, signal);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}
