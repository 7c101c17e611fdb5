import { checkWeights, type Weights } from "@property-search/contract";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";
import { ClusterError, parseJson, type Cluster } from "../cluster/connect.ts";
import { readRecordedConfig } from "./apply/record.ts";
import { stackConfigFile } from "./pulumi/workspace.ts";
import { readConfig, setConfig } from "./pulumi/stackFile.ts";
import { isUnderWay, readSwitch } from "../shared/releaseRecord.ts";
import { PROGRAM_FOLDER } from "../stack/program.ts";

const KEY = "traffic.weights";

/**
 * Weights that the route should have: those of the last deploy's overrides, else of the stack's config.
 *
 * @returns undefined during a switch, which sets others
 * @throws ClusterError if they are invalid
 */
export async function readConfiguredWeights(
    cluster: Cluster,
    stack: string,
): Promise<Weights | undefined> {
    if (isUnderWay(await readSwitch(cluster))) return undefined;
    const value =
        (await readRecordedConfig(cluster, stack))[KEY] ??
        (await readConfig(stackConfigFile(stack), KEY)) ??
        (await readProjectDefault());
    const check = checkWeights(typeof value === "string" ? parseJson(value) : value);
    if ("weights" in check) return check.weights;
    throw new ClusterError(`${KEY} of stack ${stack} ${check.errors.join("; ")}`);
}

/**
 * Reads the weights of a stack's config file, which a switch writes, to put them back later without the edits that others
 * have made meanwhile.
 *
 * @param file of the stack. Default: the one in the checkout
 * @returns JSON for restoreStackWeights; null if the file has none
 */
export async function readStackWeights(
    stack: string,
    file = stackConfigFile(stack),
): Promise<unknown> {
    return (await readConfig(file, KEY)) ?? null;
}

/** Restores what readStackWeights has returned; the rest of the file stays as it is now. */
export async function restoreStackWeights(
    stack: string,
    saved: unknown,
    file = stackConfigFile(stack),
): Promise<void> {
    await setConfig(file, { [KEY]: saved ?? undefined });
}

async function readProjectDefault(): Promise<unknown> {
    const text = await readFile(path.join(PROGRAM_FOLDER, "Pulumi.yaml"), "utf8");
    const { config } = parse(text) as { config: Record<string, { default?: unknown }> };
    return config[`["${KEY}"]`]?.default;
}
