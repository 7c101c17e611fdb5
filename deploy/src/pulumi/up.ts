import { checkWeights, type Weights } from "@property-search/contract";
import { execa, type Options } from "execa";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ClusterError, parseJson, type Manifest } from "../apply/cluster.ts";
import type { Secrets } from "../secrets.ts";
import { refreshCopy, storeSecrets } from "./config.ts";
import { releaseDeadLocks } from "./locks.ts";
import { pendingCreates, settling, type PendingCreate } from "./pending.ts";
import { copyOf, openPlace, PROJECT, trackedFile, type PlaceOptions } from "./place.ts";
import { policyFlags } from "./policies.ts";
import { progress } from "./progress.ts";
import { objectsOf, sharedUrns } from "./state.ts";
import { stopOnce } from "./stopOnce.ts";

export interface PulumiOptions extends Omit<PlaceOptions, "copy"> {
    /** Config values over the stack's, such as the images of this machine. */
    readonly config: Readonly<Record<string, string>>;
    /** Secrets that the stack is known to have already, from wherever it was deployed before. */
    readonly knownSecrets: Secrets;
    /** Whether the cluster has this object. */
    readonly exists: (object: PendingCreate) => Promise<boolean>;
    /**
     * Whether a switch of the traffic is under way, so that what it sets is left out of the update. Gets the
     * weights of the config; refuses by an error.
     */
    readonly isSwitching: (configured: Weights) => Promise<boolean>;
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
 * `pulumi up` of a stack: on the backend the user is logged in to, else on a file backend of this
 * machine; with the stack's own config file, else (where values of this machine are added) with a copy
 * of it, so that no tracked file changes but for generated secrets of a shared stack.
 *
 * @throws ClusterError
 */
export async function pulumiUp(options: PulumiOptions): Promise<PulumiDone> {
    const { stack, config, report, signal } = options;
    const own = Object.keys(config).length > 0;
    const place = await openPlace({ ...options, copy: own });
    const { configFile, settings } = place;
    /** Is there from an update's beginning to its end: objects of one that was killed may be in no state. */
    const marker = path.join(options.stateFolder, `updating-${stack}`);
    const start = (args: readonly string[], extra: Options = {}) =>
        execa("pulumi", [...args, "--non-interactive"], {
            cwd: place.program,
            env: settings,
            reject: false,
            ...extra,
        });
    const run = (args: readonly string[], extra: Options = {}) =>
        start(args, { ...(signal && { cancelSignal: signal }), ...extra });
    const must = async (args: readonly string[], extra: Options = {}) => {
        const { exitCode, stderr } = await run(args, extra);
        if (exitCode !== 0) {
            throw new ClusterError(
                `pulumi ${args.slice(0, 2).join(" ")} failed: ${String(stderr)}`,
            );
        }
    };

    const onStack = ["--stack", stack, "--config-file", configFile];
    const tracked = trackedFile(stack);
    const before = await readFile(tracked, "utf8");
    await must(["stack", "select", "--create", stack]);
    if (own) {
        // Creating a stack writes a salt beside the program, where only this machine's copy wants one.
        await writeFile(tracked, before);
        await refreshCopy(stack, configFile);
    }
    const read = async (key: string) => {
        const { exitCode, stdout } = await run(["config", "get", `${PROJECT}:${key}`, ...onStack]);
        return exitCode === 0 ? String(stdout) : undefined;
    };
    // Values go in by standard input: no command line shows them.
    const write = (key: string, input: string, kind: "--secret" | "--plaintext") =>
        must(["config", "set", `${PROJECT}:${key}`, kind, ...onStack], { input });
    await storeSecrets(configFile, options.knownSecrets, report, (key, value) =>
        write(key, value, "--secret"),
    );
    for (const [key, value] of Object.entries(config)) await write(key, value, "--plaintext");

    // The newest config is the one that holds, for a switch of the traffic too.
    if (!own) await rm(copyOf(options), { force: true });

    if (await releaseDeadLocks(place.backendFolder, PROJECT, stack)) {
        report("an update before this one was killed: its lock is released");
    }
    const cutOff = (await settleInterrupted()) || existsSync(marker);
    if (cutOff) report("what an update that was cut off has made is taken over");
    const leaveOut = (await isSwitching()) ? sharedUrns(await exported()) : [];
    await writeFile(marker, "");
    const seen = progress();
    const excludes = leaveOut.flatMap((urn) => ["--exclude", urn]);
    const flags = [
        "--yes",
        "--skip-preview",
        "--suppress-outputs",
        ...policyFlags(stack),
        ...excludes,
    ];
    const up = start(["up", ...flags, ...onStack], {
        all: true,
        // Not always: an object that somebody else made is not ours to take.
        ...(cutOff && { env: { ...settings, PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true" } }),
    });
    const stop = stopOnce(() => up.kill("SIGINT"), seen.cancelling, signal);
    for await (const text of up.iterable({ from: "all" })) {
        const line = seen.line(String(text));
        if (line !== undefined) report(line);
    }
    const { exitCode } = await up;
    stop();
    // Without an exit code it was killed.
    if (exitCode !== undefined) await rm(marker, { force: true });
    signal?.throwIfAborted();
    if (exitCode !== 0) {
        throw new ClusterError(
            `pulumi up failed with exit code ${exitCode}; its own words stand above. ` +
                "What it made is in the stack's state: run the same command again to go on.",
        );
    }
    return {
        summary: seen.summary(),
        platformKey: await read("tenants.platformKey"),
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
        await must([...settling(made), ...onStack]);
        return true;
    }

    async function exported(): Promise<string> {
        const { stdout } = await run(["stack", "export", "--stack", stack]);
        return String(stdout);
    }

    async function isSwitching(): Promise<boolean> {
        const check = checkWeights(parseJson(await read("traffic.weights")));
        // Weights that break their rule are refused by the program, with everything else that is wrong.
        return "weights" in check && options.isSwitching(check.weights);
    }
}
