import { checkWeights, type Weights } from "@property-search/contract";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ClusterError, parseJson, type Manifest } from "../../cluster/connect.ts";
import { processFile } from "../../stack/processFiles.ts";
import type { Secrets } from "../../stack/secrets.ts";
import { pulumiCli, RESTORE_ENV } from "./cli.ts";
import { prepareConfig, type PrepareOptions } from "./config.ts";
import { waitUntilUnlocked } from "./locks.ts";
import { pendingCreates, refreshArgs, type PendingCreate } from "./pending.ts";
import { EVENT_LOG_ENV } from "./events.ts";
import { localConfigCopy, openWorkspace, type WorkspaceOptions } from "./workspace.ts";
import { policyFlags } from "./policies.ts";
import { createProgress } from "./progress.ts";
import { readConfigValue } from "./secret.ts";
import { ensureStack } from "./stack.ts";
import { objectsOf, sharedUrns } from "./state.ts";
import { stopOnce } from "./stopOnce.ts";
import { watchWorkloads, type Workload } from "./workloads.ts";

export interface PulumiUpOptions extends Omit<WorkspaceOptions, "copy"> {
    /** Config overrides, such as the images of this machine. */
    readonly config: Readonly<Record<string, string>>;
    /** Secrets of earlier deploys by the other method. */
    readonly knownSecrets: Secrets;
    /** Whether the cluster has this object. */
    readonly exists: (object: PendingCreate) => Promise<boolean>;
    /** Checks the declared objects before anything is changed; throws to reject them. */
    readonly onRendered?: PrepareOptions["onRendered"];
    /** Describes pods of these workloads that cannot start. */
    readonly findStuckPods: (workloads: readonly Workload[]) => Promise<readonly string[]>;
    /** Time for which pods may be stuck. Default: that of watchWorkloads */
    readonly stuckMilliseconds?: number;
    /**
     * Whether a switch is in progress, so that the update excludes its objects. Receives the weights of the config; throws
     * to reject them.
     */
    readonly isSwitching: (configured: Weights) => Promise<boolean>;
    /** Called with the accepted config file before anything is changed. */
    readonly onAccepted?: (configFile: string) => Promise<void>;
    /** Whether to adopt existing objects of others. Default: false */
    readonly adopt?: boolean;
    readonly signal?: AbortSignal;
}

/** Error of the provider for an object that another tool created. */
const EXISTS = /was not successfully created .*already exists/;
/** Error of the CLI while another process updates a stack on a file backend. */
const LOCKED = "stack is currently locked by";
const MAX_TRIES = 5;
const ADVICE =
    " Objects that already exist are not the stack's: remove them with the tool that created them, or adopt them " +
    "with ADOPT=1.";

export interface PulumiUpResult {
    /** Summary of the changes, such as `2 updated, 70 unchanged`. */
    readonly summary: string;
    readonly platformKey: string | undefined;
    /** The stack's objects in its state, with encrypted secrets. */
    readonly declared: readonly Manifest[];
}

/**
 * Runs `pulumi up` with a refresh, which restores drifted objects: on the user's backend, else on a file backend of this
 * machine; with the stack's own config file, else (with config overrides) with a copy of it, so that the tracked file
 * changes only for generated secrets.
 *
 * @throws ClusterError; RenderError for a rejected config, before anything is changed
 */
export async function pulumiUp(options: PulumiUpOptions): Promise<PulumiUpResult> {
    const { stack, config, report, signal, stateFolder, adopt = false } = options;
    const hasOverrides = Object.keys(config).length > 0;
    const workspace = await openWorkspace({ ...options, copy: hasOverrides });
    const { configFile } = workspace;
    const cli = pulumiCli(workspace, signal);
    const known = await ensureStack(workspace, cli, report);
    const { onRendered } = options;
    const prepareOptions = {
        workspace,
        cli,
        stateFolder,
        config,
        known,
        onRendered,
        report,
    };
    const prepared = await prepareConfig({ ...prepareOptions, knownSecrets: options.knownSecrets });
    await options.onAccepted?.(prepared.file);
    await prepared.save();
    // The new config replaces an older copy, for switches too.
    if (!hasOverrides) await rm(localConfigCopy(options), { force: true });
    const onStack = ["--stack", stack, "--config-file", configFile];

    /** Exists during an update: objects of a killed update may be missing in the state. */
    const marker = path.join(stateFolder, `updating-${stack}`);
    // Before its pending creations are read: those of a running update are not those of a killed one.
    await waitUntilUnlocked(workspace, { report, signal });
    const wasInterrupted = (await recoverPendingCreates()) || existsSync(marker);
    if (wasInterrupted) report("adopting the objects of an earlier update that was killed");
    await writeFile(marker, "");
    const stuck = new AbortController();
    let { exitCode, output, conflicts, isLocked } = await update();
    // A switch may have locked the stack since the wait.
    for (let tries = 1; isLocked && workspace.backendFolder && tries < MAX_TRIES; tries += 1) {
        await waitUntilUnlocked(workspace, { report, signal });
        ({ exitCode, output, conflicts, isLocked } = await update());
    }
    // No exit code: the process was killed.
    if (exitCode !== undefined) await rm(marker, { force: true });
    signal?.throwIfAborted();
    stuck.signal.throwIfAborted();
    if (exitCode !== 0) {
        throw new ClusterError(
            `pulumi up ${exitCode === undefined ? "was killed" : `failed with exit code ${exitCode}`}; ` +
                "see its output above. " +
                "The created objects are in the stack's state: run the same command again to continue." +
                (conflicts ? ADVICE : ""),
        );
    }
    return {
        summary: output.summary(),
        platformKey: await readConfigValue(workspace, "tenants.platformKey"),
        declared: objectsOf(JSON.parse(await exportState())).map(({ inputs }) => inputs),
    };

    async function update() {
        const excluded = (await isSwitching()) ? sharedUrns(await exportState()) : [];
        const output = createProgress();
        const log = processFile(path.join(stateFolder, `events-${stack}.json`));
        const up = cli.start(
            [
                "up",
                "--yes",
                "--skip-preview",
                "--refresh",
                "--suppress-outputs",
                ...policyFlags(stack, stateFolder),
                ...excluded.flatMap((urn) => ["--exclude", urn]),
                ...onStack,
                "--event-log",
                log,
            ],
            {
                all: true,
                env: {
                    ...EVENT_LOG_ENV,
                    ...RESTORE_ENV,
                    // Only then: objects of others must not be adopted.
                    ...((wasInterrupted || adopt) && {
                        PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true",
                    }),
                },
            },
        );
        let conflicts = false;
        let isLocked = false;
        const stops = [signal, stuck.signal].filter((one) => one !== undefined);
        const stop = stopOnce(() => up.kill("SIGINT"), output.isCancelling, AbortSignal.any(stops));
        const watch = watchWorkloads({ ...options, log, onStuck: (why) => stuck.abort(why) });
        try {
            for await (const text of up.iterable({ from: "all" })) {
                const line = output.filter(String(text));
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
        return { exitCode, output, conflicts, isLocked };
    }

    /**
     * Resolves pending creations of a killed update.
     *
     * @returns whether there were any
     */
    async function recoverPendingCreates(): Promise<boolean> {
        const pending = pendingCreates(await exportState());
        if (pending.length === 0) return false;
        const found = await Promise.all(pending.map((object) => options.exists(object)));
        const made = pending.filter((_, index) => found[index]);
        report(
            `an earlier update was killed: ${made.length} of ${pending.length} objects with a pending ` +
                "creation exist and are imported into the state",
        );
        await cli.must([...refreshArgs(made), ...onStack]);
        return true;
    }

    function exportState(): Promise<string> {
        return cli.must(["stack", "export", "--stack", stack]);
    }

    async function isSwitching(): Promise<boolean> {
        const check = checkWeights(parseJson(await readConfigValue(workspace, "traffic.weights")));
        // The program rejects invalid weights together with all other problems.
        return "weights" in check && options.isSwitching(check.weights);
    }
}
