import { checkWeights, type Weights } from "@property-search/contract";
import { objectsOf, type StateObject } from "../../deploy/pulumi/state.ts";
import { parseJson } from "../../cluster/connect.ts";
import { createProgress } from "../../deploy/pulumi/progress.ts";
import { PROJECT } from "../../deploy/pulumi/workspace.ts";
import { readConfig, setConfig } from "../../deploy/pulumi/stackFile.ts";
import { isRoute, routeWeights } from "../../shared/route.ts";
import { stopOnce } from "../../deploy/pulumi/stopOnce.ts";
import type { Stack, UpdateSummary } from "@pulumi/pulumi/automation/index.js";
import { Rejected, ReleaseError } from "../error.ts";
import { StackLocked, updateWhenUnlocked } from "./pulumiLock.ts";
import type { Traffic } from "./traffic.ts";

export interface PulumiTrafficOptions {
    /** The stack in the workspace from which it is updated. */
    readonly stack: Stack;
    /** Config file of its updates. */
    readonly configFile: string;
    /** Describes why the program rejects a config file; undefined if it accepts it. Default: no check */
    readonly checkConfig?: (file: string) => Promise<string | undefined>;
    /** Folder of a file backend; undefined for any other backend. */
    readonly backendFolder: string | undefined;
    /** Seconds to wait for other updates of the stack. Default: 300 */
    readonly lockTimeoutSeconds?: number;
    /** Receives one line per event. */
    readonly report: (line: string) => void;
}

/** An update that set weights. */
export interface WeightsUpdate {
    readonly at: Date;
    readonly weights: Weights;
    /** Such as `release 20261125-1: blue 90, green 10`; free text or empty for updates of others. */
    readonly message: string;
    readonly succeeded: boolean;
}

export interface PulumiTraffic extends Traffic {
    readonly kind: "pulumi";
    /** Updates of the stack, newest first. */
    readonly history: (count: number) => Promise<readonly WeightsUpdate[]>;
}

const KEY = "traffic.weights";

/**
 * Weights that the stack owns: it writes them to the config and updates only the route.
 *
 * The update refreshes the route first. A killed update may have shifted traffic without recording it in the state, and
 * Pulumi, which compares with its state, would then find nothing to roll back.
 */
export function pulumiTraffic(options: PulumiTrafficOptions): PulumiTraffic {
    const { stack, configFile, report } = options;

    async function route(): Promise<StateObject> {
        const found = objectsOf(await stack.exportStack()).find(({ inputs }) => isRoute(inputs));
        if (found) return found;
        throw new ReleaseError(`stack ${stack.name} has no route: deploy it first (make deploy)`);
    }

    async function update(urn: string, message: string, signal?: AbortSignal): Promise<void> {
        const progress = createProgress();
        const stopped = new AbortController();
        const stop = stopOnce(() => stopped.abort(), progress.isCancelling, signal);
        try {
            await stack.up({
                target: [urn],
                refresh: true,
                message,
                configFile,
                suppressOutputs: true,
                // Otherwise the CLI reads the stack's own config file for them and writes a salt into it.
                showSecrets: false,
                suppressProgress: true,
                color: "never",
                signal: stopped.signal,
                onOutput: (text) => {
                    for (const line of text.split("\n")) {
                        const shown = progress.filter(line);
                        if (shown !== undefined) report(shown);
                    }
                },
            });
        } finally {
            stop();
        }
    }

    return {
        kind: "pulumi",
        read: async () => routeWeights((await route()).inputs),
        check: () => options.checkConfig?.(configFile) ?? Promise.resolve(undefined),
        force: (weights) => setConfig(configFile, { [KEY]: weights }),
        set: async (weights, { id, signal }) => {
            signal?.throwIfAborted();
            const { urn } = await route();
            const before = await readConfig(configFile, KEY);
            await setConfig(configFile, { [KEY]: weights });
            const message = `release ${id}: blue ${weights.blue}, green ${weights.green}`;
            try {
                await updateWhenUnlocked({ ...options, signal }, () =>
                    update(urn, message, signal),
                );
            } catch (error) {
                // The update did not start, so the config keeps its previous weights.
                if (error instanceof StackLocked || error instanceof Rejected) {
                    await setConfig(configFile, { [KEY]: before });
                }
                signal?.throwIfAborted();
                throw error;
            }
        },
        history: async (count) =>
            (await stack.history(count, 1, false)).flatMap((summary) => weightsUpdate(summary)),
    };
}

/** Updates without weights, such as the stack's creation, are omitted. */
function weightsUpdate({ config, startTime, message, result }: UpdateSummary): WeightsUpdate[] {
    const check = checkWeights(parseJson(config[`${PROJECT}:${KEY}`]?.value));
    if (!("weights" in check)) return [];
    return [{ at: startTime, weights: check.weights, message, succeeded: result === "succeeded" }];
}
