import { rm } from "node:fs/promises";
import path from "node:path";
import type { ClusterError } from "../../cluster/connect.ts";
import { processFile } from "../../stack/processFiles.ts";
import { RESTORE_ENV, type pulumiCli } from "./cli.ts";
import { EVENT_LOG_ENV } from "./events.ts";
import { policyFlags } from "./policies.ts";
import { createProgress } from "./progress.ts";
import { stopOnce } from "./stopOnce.ts";
import { watchWorkloads, type Workload } from "./workloads.ts";

export interface UpdateOptions {
    readonly stack: string;
    /** Folder for files of this machine. */
    readonly stateFolder: string;
    /** More flags of `pulumi up`. */
    readonly args: readonly string[];
    /** Whether objects that exist become the stack's. */
    readonly adopts: boolean;
    /** Describes pods of these workloads that cannot start. */
    readonly findStuckPods: (workloads: readonly Workload[]) => Promise<readonly string[]>;
    /** Time for which pods may be stuck. Default: that of watchWorkloads */
    readonly stuckMilliseconds?: number;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
}

export interface Update {
    /** `undefined` if the process was killed. */
    readonly exitCode: number | undefined;
    /** Summary of the changes, such as `2 updated, 70 unchanged`. */
    readonly summary: string;
    /** Whether an object of another tool was in the way. */
    readonly conflicts: boolean;
    /** Whether another process was updating the stack. */
    readonly isLocked: boolean;
    /** Why the update was ended early: pods that cannot start. */
    readonly stuck: ClusterError | undefined;
}

/** Error of the provider for an object that another tool created. */
const EXISTS = /was not successfully created .*already exists/;
/** Error of the CLI while another process updates a stack on a file backend. */
const LOCKED = "stack is currently locked by";

/** Runs one `pulumi up`, reports its progress, and interrupts it if pods cannot start. */
export async function runUpdate(
    cli: ReturnType<typeof pulumiCli>,
    options: UpdateOptions,
): Promise<Update> {
    const { stack, stateFolder, adopts, report, signal } = options;
    const progress = createProgress();
    const log = processFile(path.join(stateFolder, `events-${stack}.json`));
    const up = cli.start(
        [
            ...["up", "--yes", "--skip-preview", "--refresh", "--suppress-outputs"],
            ...policyFlags(stack, stateFolder),
            ...options.args,
            ...["--event-log", log],
        ],
        {
            all: true,
            env: {
                ...EVENT_LOG_ENV,
                ...RESTORE_ENV,
                // Only then: objects of others must not be adopted.
                ...(adopts && { PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true" }),
            },
        },
    );
    let conflicts = false;
    let isLocked = false;
    let stuck: ClusterError | undefined;
    const ended = new AbortController();
    const stops = AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]);
    const stop = stopOnce(() => up.kill("SIGINT"), progress.isCancelling, stops);
    const watch = watchWorkloads({
        ...options,
        log,
        onStuck: (why) => {
            stuck = why;
            ended.abort(why);
        },
    });
    try {
        for await (const text of up.iterable({ from: "all" })) {
            const line = progress.filter(String(text));
            conflicts ||= EXISTS.test(String(text));
            isLocked ||= String(text).includes(LOCKED);
            if (line !== undefined) report(line);
        }
    } finally {
        await watch.end();
        await rm(log, { force: true });
    }
    const { exitCode } = await up;
    stop();
    return { exitCode, summary: progress.summary(), conflicts, isLocked, stuck };
}
