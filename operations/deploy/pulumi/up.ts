import { checkWeights, type Weights } from "@property-search/contract";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ClusterError, parseJson, type Manifest } from "../../cluster/connect.ts";
import { processFile } from "../../stack/processFiles.ts";
import type { Secrets } from "../../stack/secrets.ts";
import { pulumiCli, RESTORING } from "./cli.ts";
import { prepareConfig, type PrepareOptions } from "./config.ts";
import { releaseDeadLocks } from "./locks.ts";
import { pendingCreates, settling, type PendingCreate } from "./pending.ts";
import { EVENT_LOG_SETTINGS } from "./events.ts";
import { copyOf, openPlace, PROJECT, type PlaceOptions } from "./workspace.ts";
import { policyFlags } from "./policies.ts";
import { progress } from "./progress.ts";
import { readConfigValue } from "./secret.ts";
import { ensureStack } from "./stack.ts";
import { objectsOf, sharedUrns } from "./state.ts";
import { stopOnce } from "./stopOnce.ts";
import { watchWorkloads, type Workload } from "./workloads.ts";

export interface PulumiOptions extends Omit<PlaceOptions, "copy"> {
    /** Config overrides, such as the images of this machine. */
    readonly config: Readonly<Record<string, string>>;
    /** Secrets of earlier deploys by the other method. */
    readonly knownSecrets: Secrets;
    /** Whether the cluster has this object. */
    readonly exists: (object: PendingCreate) => Promise<boolean>;
    /** Checks the declared objects before anything is changed; throws to reject them. */
    readonly onRendered?: PrepareOptions["onRendered"];
    /** Describes pods of these workloads that cannot start. */
    readonly stuck: (workloads: readonly Workload[]) => Promise<readonly string[]>;
    /** Time for which pods may be stuck. Default: that of watchWorkloads */
    readonly patienceMilliseconds?: number;
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
const ADVICE =
    " Objects that already exist are not the stack's: remove them with the tool that created them, or adopt them " +
    "with ADOPT=1.";

export interface PulumiDone {
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
export async function pulumiUp(options: PulumiOptions): Promise<PulumiDone> {
    const { stack, config, report, signal, stateFolder, adopt = false } = options;
    const own = Object.keys(config).length > 0;
    const place = await openPlace({ ...options, copy: own });
    const { configFile } = place;
    const cli = pulumiCli(place, signal);
    const encryption = await ensureStack(place, cli, report);
    const { onRendered } = options;
    const asked = { place, cli, stateFolder, config, encryption, onRendered, report };
    const prepared = await prepareConfig({ ...asked, knownSecrets: options.knownSecrets });
    await options.onAccepted?.(prepared.file);
    await prepared.keep();
    // The new config replaces an older copy, for switches too.
    if (!own) await rm(copyOf(options), { force: true });
    const onStack = ["--stack", stack, "--config-file", configFile];

    /** Exists during an update: objects of a killed update may be missing in the state. */
    const marker = path.join(stateFolder, `updating-${stack}`);
    if (await releaseDeadLocks(place.backendFolder, PROJECT, stack)) {
        report("released the lock of an earlier update that was killed");
    }
    const cutOff = (await settleInterrupted()) || existsSync(marker);
    if (cutOff) report("adopting the objects of an earlier update that was killed");
    const leaveOut = (await isSwitching()) ? sharedUrns(await exported()) : [];
    await writeFile(marker, "");
    const seen = progress();
    const log = processFile(path.join(stateFolder, `events-${stack}.json`));
    const up = cli.start(
        [
            "up",
            "--yes",
            "--skip-preview",
            "--refresh",
            "--suppress-outputs",
            ...policyFlags(stack, stateFolder),
            ...leaveOut.flatMap((urn) => ["--exclude", urn]),
            ...onStack,
            "--event-log",
            log,
        ],
        {
            all: true,
            env: {
                ...EVENT_LOG_SETTINGS,
                ...RESTORING,
                // Only then: objects of others must not be adopted.
                ...((cutOff || adopt) && { PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true" }),
            },
        },
    );
    let conflicts = false;
    const stuck = new AbortController();
    const stops = [signal, stuck.signal].filter((one) => one !== undefined);
    const stop = stopOnce(() => up.kill("SIGINT"), seen.cancelling, AbortSignal.any(stops));
    const watch = watchWorkloads({ ...options, log, onStuck: (why) => stuck.abort(why) });
    try {
        for await (const text of up.iterable({ from: "all" })) {
            const line = seen.line(String(text));
            conflicts ||= EXISTS.test(String(text));
            if (line !== undefined) report(line);
        }
    } finally {
        await watch.end();
        await rm(log, { force: true });
    }
    const { exitCode } = await up;
    stop();
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
        summary: seen.summary(),
        platformKey: await readConfigValue(place, "tenants.platformKey"),
        declared: objectsOf(JSON.parse(await exported())).map(({ inputs }) => inputs),
    };

    /**
     * Resolves pending creations of a killed update.
     *
     * @returns whether there were any
     */
    async function settleInterrupted(): Promise<boolean> {
        const pending = pendingCreates(await exported());
        if (pending.length === 0) return false;
        const found = await Promise.all(pending.map((object) => options.exists(object)));
        const made = pending.filter((_, index) => found[index]);
        report(
            `an earlier update was killed: ${made.length} of ${pending.length} objects with a pending ` +
                "creation exist and are imported into the state",
        );
        await cli.must([...settling(made), ...onStack]);
        return true;
    }

    function exported(): Promise<string> {
        return cli.must(["stack", "export", "--stack", stack]);
    }

    async function isSwitching(): Promise<boolean> {
        const check = checkWeights(parseJson(await readConfigValue(place, "traffic.weights")));
        // The program rejects invalid weights together with all other problems.
        return "weights" in check && options.isSwitching(check.weights);
    }
}
