import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import path from "node:path";

import { BenchError } from "../../shared/benchError.ts";

export interface StartOptions {
    readonly name: string;
    /** The only core for it and its children. */
    readonly core: number;
    /** It runs only while nothing else needs the core (sched(7), SCHED_IDLE). */
    readonly idle?: true;
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
}

export interface RunningProcess {
    /** Process id of the leader of its process group. */
    readonly pid: number;
    /** The end of its output, for error messages. */
    readonly output: () => string;
    readonly hasEnded: () => boolean;
    readonly stop: () => Promise<void>;
}

/** Starts processes that never outlive the benchmark, however it ends. */
export interface Processes {
    /** Temporary directory for logs and configuration files. */
    readonly folder: string;
    readonly start: (
        command: string,
        args: readonly string[],
        options: StartOptions,
    ) => RunningProcess;
    readonly killAll: () => void;
}

/**
 * Waits for the end of its input, which also comes when this process is killed, and then kills all process groups
 * that have begun and not ended.
 */
const REAPER = `
live=
while read -r word group; do
    if [ "$word" = begun ]; then live="$live $group"
    else live=$(printf ' %s' $(printf '%s\\n' $live | grep -vx "$group")); fi
done
for group in $live; do kill -s KILL -- "-$group" 2>/dev/null; done
rm -rf -- "$1"
`;
const GRACE_MILLISECONDS = 5_000;
const OUTPUT_CHARACTERS = 1_500;

export function createProcesses(): Processes {
    const folder = mkdtempSync(path.join(tmpdir(), "property-search-bench-"));
    // In its own group, since Ctrl-C signals the whole foreground group.
    const reaper = spawn("sh", ["-c", REAPER, "reaper", folder], {
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
    });
    const live = new Set<number>();

    function start(
        command: string,
        args: readonly string[],
        options: StartOptions,
    ): RunningProcess {
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
        if (options.idle) lowerSessionPriority(pid);
        live.add(pid);
        reaper.stdin.write(`begun ${pid}\n`);
        return {
            pid,
            output: () => readFileSync(logFile, "utf8").slice(-OUTPUT_CHARACTERS),
            hasEnded: () => isExited(child),
            stop: async () => {
                signalGroup(pid, "SIGTERM");
                const killing = setTimeout(() => signalGroup(pid, "SIGKILL"), GRACE_MILLISECONDS);
                if (!isExited(child)) await once(child, "exit");
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
        killAll: () => {
            for (const pid of live) signalGroup(pid, "SIGKILL");
            live.clear();
            rmSync(folder, { recursive: true, force: true });
            reaper.stdin.end();
        },
    };
}

/** With autogroup the scheduling policy only counts within a session, so lower the session too (sched(7)). */
function lowerSessionPriority(pid: number): void {
    try {
        writeFileSync(`/proc/${pid}/autogroup`, String(constants.priority.PRIORITY_LOW));
    } catch {
        // This kernel has no autogroups.
    }
}

function isExited(child: ChildProcess): boolean {
    return child.exitCode !== null || child.signalCode !== null;
}

/** Ignores a group that has already ended. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
    try {
        process.kill(-group, signal);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}
