import { execa } from "execa";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { ClusterError } from "../../cluster/connect.ts";
import { PROGRAM_FOLDER } from "../../stack/program.ts";

const KUBERNETES_PLUGIN = "kubernetes";

/** Describes what `pulumi up` lacks on this machine; undefined if it can run. */
export async function findMissingPrerequisite(): Promise<string | undefined> {
    const version = await runQuietly("pulumi", ["version"]);
    if (version === undefined) return "the Pulumi CLI is not on PATH";
    const language = await runQuietly("pulumi-language-nodejs", ["-h"]);
    if (language === undefined) return "Pulumi's nodejs language host is not on PATH";
    return missingPlugin(KUBERNETES_PLUGIN);
}

/**
 * Checks that Pulumi can run on this machine, before a cluster is contacted.
 *
 * @param what command that needs it
 * @param instead alternative for the user
 * @throws ClusterError with the missing part
 */
export async function requirePulumi(what: string, instead = ""): Promise<void> {
    const missing = await findMissingPrerequisite();
    if (missing !== undefined)
        throw new ClusterError(`${what} needs Pulumi, but ${missing}${instead}`);
}

/**
 * Checks the additional plugins of a stack before anything is changed; otherwise the update would fail midway.
 *
 * @param types that only Pulumi's engine can create, such as `kubernetes-cert-manager:index:CertManager`
 * @throws ClusterError with how to install each
 */
export async function requirePlugins(stack: string, types: readonly string[]): Promise<void> {
    const names = new Set(types.map((type) => type.split(":")[0] ?? type));
    const missing = (await Promise.all([...names].map(missingPlugin))).filter(
        (sentence) => sentence !== undefined,
    );
    if (missing.length > 0)
        throw new ClusterError(`stack ${stack} needs a plugin: ${missing.join("; ")}`);
}

async function missingPlugin(name: string): Promise<string | undefined> {
    if (await hasPlugin(name)) return undefined;
    const wanted = await pluginVersion(name);
    // Succeeds if the internet is reachable, and fails at once otherwise.
    await runQuietly("pulumi", ["plugin", "install", "resource", name, wanted]);
    if (await hasPlugin(name)) return undefined;
    return (
        `Pulumi's plugin ${name} ${wanted} is not installed and could not be downloaded ` +
        `(pulumi plugin install resource ${name} ${wanted})`
    );
}

async function runQuietly(command: string, args: readonly string[]): Promise<string | undefined> {
    const result = await execa(command, args, { reject: false, timeout: 60_000, stdin: "ignore" });
    // A language host exits from -h with a nonzero code; any exit code means that it is installed.
    return result.exitCode === undefined ? undefined : result.stdout;
}

/** A plugin's version is that of its npm package. */
async function pluginVersion(plugin: string): Promise<string> {
    const file = path.join(PROGRAM_FOLDER, "node_modules/@pulumi", plugin, "package.json");
    return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

/** A plugin on PATH is accepted in any version; others need the exact version. */
async function hasPlugin(plugin: string): Promise<boolean> {
    if ((await runQuietly(`pulumi-resource-${plugin}`, ["-h"])) !== undefined) return true;
    const list = (await runQuietly("pulumi", ["plugin", "ls", "--json"])) ?? "[]";
    const plugins = JSON.parse(list) as { name: string; version: string }[];
    const wanted = await pluginVersion(plugin);
    return plugins.some(({ name, version }) => name === plugin && version === wanted);
}
