import { execa } from "execa";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { PROGRAM } from "../render.ts";

const KUBERNETES_PLUGIN = "kubernetes";

/** What `pulumi up` lacks on this machine, or undefined when it can run. */
export async function missingForPulumi(): Promise<string | undefined> {
    const version = await quiet("pulumi", ["version"]);
    if (version === undefined) return "the Pulumi CLI is not on PATH";
    const language = await quiet("pulumi-language-nodejs", ["-h"]);
    if (language === undefined) return "Pulumi's nodejs language host is not on PATH";
    if (await hasKubernetesPlugin()) return undefined;
    // Where the internet is reachable this is all it takes; elsewhere it fails at once.
    const wanted = await kubernetesVersion();
    await quiet("pulumi", ["plugin", "install", "resource", KUBERNETES_PLUGIN, wanted]);
    return (await hasKubernetesPlugin())
        ? undefined
        : `Pulumi's Kubernetes plugin ${wanted} is not installed and could not be downloaded`;
}

async function quiet(command: string, args: readonly string[]): Promise<string | undefined> {
    const result = await execa(command, args, { reject: false, timeout: 60_000, stdin: "ignore" });
    // A language host answers -h with an exit code of its own: it is there when it could be started.
    return result.exitCode === undefined ? undefined : result.stdout;
}

async function kubernetesVersion(): Promise<string> {
    const file = path.join(PROGRAM, "node_modules/@pulumi/kubernetes/package.json");
    return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

/** On PATH a plugin is taken whatever its version is; installed ones are looked up. */
async function hasKubernetesPlugin(): Promise<boolean> {
    if ((await quiet(`pulumi-resource-${KUBERNETES_PLUGIN}`, ["-h"])) !== undefined) return true;
    const list = (await quiet("pulumi", ["plugin", "ls", "--json"])) ?? "[]";
    const plugins = JSON.parse(list) as { name: string; version: string }[];
    const wanted = await kubernetesVersion();
    return plugins.some(({ name, version }) => name === KUBERNETES_PLUGIN && version === wanted);
}
