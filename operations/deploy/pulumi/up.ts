import { checkWeights, type Weights } from "@property-search/contract";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ClusterError, parseJson, type Manifest } from "../../cluster/connect.ts";
import type { Secrets } from "../../stack/secrets.ts";
import { pulumiCli } from "./cli.ts";
import { prepareConfig, type PrepareOptions } from "./config.ts";
import { waitUntilUnlocked } from "./locks.ts";
import { pendingCreates, refreshArgs, type PendingCreate } from "./pending.ts";
import { localConfigCopy, openWorkspace, type WorkspaceOptions } from "./workspace.ts";
import { runUpdate, type Update, type UpdateOptions } from "./runUpdate.ts";
import { readConfigValue } from "./secret.ts";
import { ensureStack } from "./stack.ts";
import { objectsOf, sharedUrns } from "./state.ts";

export interface PulumiUpOptions
    extends Omit<WorkspaceOptions, "copy">, Omit<UpdateOptions, "args" | "adopts"> {
    /** Config overrides, such as the images of this machine. */
    readonly config: Readonly<Record<string, string>>;
    /** Secrets of earlier deploys by the other method. */
    readonly knownSecrets: Secrets;
    /** Whether the cluster has this object. */
    readonly exists: (object: PendingCreate) => Promise<boolean>;
    /** Checks the declared objects before anything is changed; throws to reject them. */
    readonly onRendered?: PrepareOptions["onRendered"];
    /**
     * Whether a switch is in progress, so that the update excludes its objects. Receives the weights of the config; throws
     * to reject them.
     */
    readonly isSwitching: (configured: Weights) => Promise<boolean>;
    /** Called with the accepted config file before anything is changed. */
    readonly onAccepted?: (configFile: string) => Promise<void>;
    /** Whether to adopt existing objects of others. Default: false */
    readonly adopt?: boolean;
}

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
    let { exitCode, summary, conflicts, isLocked, stuck } = await update();
    // A switch may have locked the stack since the wait.
    for (let tries = 1; isLocked && workspace.backendFolder && tries < MAX_TRIES; tries += 1) {
        await waitUntilUnlocked(workspace, { report, signal });
        ({ exitCode, summary, conflicts, isLocked, stuck } = await update());
    }
    // No exit code: the process was killed.
    if (exitCode !== undefined) await rm(marker, { force: true });
    signal?.throwIfAborted();
    if (stuck) throw stuck;
    if (exitCode !== 0) {
        throw new ClusterError(
            `pulumi up ${exitCode === undefined ? "was killed" : `failed with exit code ${exitCode}`}; ` +
                "see its output above. " +
                "The created objects are in the stack's state: run the same command again to continue." +
                (conflicts ? ADVICE : ""),
        );
    }
    return {
        summary,
        platformKey: await readConfigValue(workspace, "tenants.platformKey"),
        declared: objectsOf(JSON.parse(await exportState())).map(({ inputs }) => inputs),
    };

    async function update(): Promise<Update> {
        const excluded = (await isSwitching()) ? sharedUrns(await exportState()) : [];
        const exclude = excluded.flatMap((urn) => ["--exclude", urn]);
        const adopts = wasInterrupted || adopt;
        return runUpdate(cli, { ...options, args: [...exclude, ...onStack], adopts });
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
