import { checkWeights, type Weights } from "@property-search/contract";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ClusterError, parseJson, type Manifest } from "../../cluster/connect.ts";
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
    /** Config values over the stack's, such as the images of this machine. */
    readonly config: Readonly<Record<string, string>>;
    /** Secrets that the stack is known to have already, from wherever it was deployed before. */
    readonly knownSecrets: Secrets;
    /** Whether the cluster has this object. */
    readonly exists: (object: PendingCreate) => Promise<boolean>;
    /** Checks what the program declares before anything is changed; rejects by an error. */
    readonly onRendered?: PrepareOptions["onRendered"];
    /** Why pods of these workloads cannot start; none where all can. */
    readonly stuck: (workloads: readonly Workload[]) => Promise<readonly string[]>;
    /** How long they may be so. Default: that of watchWorkloads. */
    readonly patienceMilliseconds?: number;
    /**
     * Whether a switch of the traffic is under way, so that what it sets is left out of the update. Gets the
     * weights of the config; refuses by an error.
     */
    readonly isSwitching: (configured: Weights) => Promise<boolean>;
    /** Called when the program has accepted the config, with the file that has it, before anything is changed. */
    readonly onAccepted?: (configFile: string) => Promise<void>;
    readonly signal?: AbortSignal;
}

export interface PulumiDone {
    /** What changed, such as `2 updated, 70 unchanged`. */
    readonly summary: string;
    readonly platformKey: string | undefined;
    /** The stack's objects as its state declares them, secrets encrypted. */
    readonly declared: readonly Manifest[];
}

/**
 * `pulumi up` of a stack, which reads the cluster first and so restores what has drifted: on the backend the
 * user is logged in to, else on a file backend of this machine; with the stack's own config file, else (where
 * values of this machine are added) with a copy of it, so that no tracked file changes but for generated
 * secrets of a shared stack.
 *
 * @throws ClusterError; RenderError for a config that the program rejects, before anything is changed
 */
export async function pulumiUp(options: PulumiOptions): Promise<PulumiDone> {
    const { stack, config, report, signal, stateFolder } = options;
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
    // The newest config is the one that holds, for a switch of the traffic too.
    if (!own) await rm(copyOf(options), { force: true });
    const onStack = ["--stack", stack, "--config-file", configFile];

    /** Is there from an update's beginning to its end: objects of one that was killed may be in no state. */
    const marker = path.join(stateFolder, `updating-${stack}`);
    if (await releaseDeadLocks(place.backendFolder, PROJECT, stack)) {
        report("an update before this one was killed: its lock is released");
    }
    const cutOff = (await settleInterrupted()) || existsSync(marker);
    if (cutOff) report("what an update that was cut off has made is taken over");
    const leaveOut = (await isSwitching()) ? sharedUrns(await exported()) : [];
    await writeFile(marker, "");
    const seen = progress();
    const log = path.join(stateFolder, `events-${stack}-${process.pid}.json`);
    const up = cli.start(
        [
            "up",
            "--yes",
            "--skip-preview",
            "--refresh",
            "--suppress-outputs",
            ...policyFlags(stack),
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
                // Not always: an object that somebody else made is not ours to take.
                ...(cutOff && { PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true" }),
            },
        },
    );
    const stuck = new AbortController();
    const stops = [signal, stuck.signal].filter((one) => one !== undefined);
    const stop = stopOnce(() => up.kill("SIGINT"), seen.cancelling, AbortSignal.any(stops));
    const watch = watchWorkloads({ ...options, log, onStuck: (why) => stuck.abort(why) });
    try {
        for await (const text of up.iterable({ from: "all" })) {
            const line = seen.line(String(text));
            if (line !== undefined) report(line);
        }
    } finally {
        await watch.end();
        await rm(log, { force: true });
    }
    const { exitCode } = await up;
    stop();
    // Without an exit code it was killed.
    if (exitCode !== undefined) await rm(marker, { force: true });
    signal?.throwIfAborted();
    stuck.signal.throwIfAborted();
    if (exitCode !== 0) {
        throw new ClusterError(
            `pulumi up ${exitCode === undefined ? "was killed" : `failed with exit code ${exitCode}`}; ` +
                "its own words stand above. " +
                "What it made is in the stack's state: run the same command again to go on.",
        );
    }
    return {
        summary: seen.summary(),
        platformKey: await readConfigValue(place, "tenants.platformKey"),
        declared: objectsOf(JSON.parse(await exported())).map(({ inputs }) => inputs),
    };

    /**
     * An update that was cut off leaves objects of which the state does not know whether they were made.
     *
     * @returns whether there were any
     */
    async function settleInterrupted(): Promise<boolean> {
        const pending = pendingCreates(await exported());
        if (pending.length === 0) return false;
        const found = await Promise.all(pending.map((object) => options.exists(object)));
        const made = pending.filter((_, index) => found[index]);
        report(
            `an update before this one was cut off: ${made.length} of ${pending.length} objects in ` +
                "the making are there and are taken into the state",
        );
        await cli.must([...settling(made), ...onStack]);
        return true;
    }

    function exported(): Promise<string> {
        return cli.must(["stack", "export", "--stack", stack]);
    }

    async function isSwitching(): Promise<boolean> {
        const check = checkWeights(parseJson(await readConfigValue(place, "traffic.weights")));
        // Weights that break their rule are refused by the program, with everything else that is wrong.
        return "weights" in check && options.isSwitching(check.weights);
    }
}
