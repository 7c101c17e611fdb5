import { existsSync } from "node:fs";
import { LocalError, tryRun, type Step } from "../shell.ts";
import { requireTools } from "../preflight.ts";
import { listBinaries, buildTool, buildFolder } from "./go.ts";
import { PULUMI } from "./programs.ts";

/**
 * The Pulumi CLI: PATH's, else one built from source. It runs inline programs only, since the module proxy
 * has neither the language host nor the plugins.
 *
 * @returns where it is, for people.
 */
export async function pulumiCli(step: Step): Promise<string> {
    const version = await tryRun("pulumi", ["version"]);
    if (version !== undefined) return `Pulumi ${version} is on PATH`;
    if (existsSync(await buildFolder(PULUMI))) return `Pulumi is in ${await pulumiFolder()}`;
    await requireTools(["go"]);
    step.report("pulumi is not on PATH: building the CLI from source, once, in a few minutes");
    return `Pulumi is in ${await buildTool(step, PULUMI)}`;
}

/**
 * Puts the Pulumi CLI first on this process's PATH where PATH has none.
 *
 * @throws LocalError when it has not been built.
 */
export async function addPulumiToPath(): Promise<void> {
    if ((await tryRun("pulumi", ["version"])) !== undefined) return;
    if (!existsSync(await buildFolder(PULUMI))) {
        throw new LocalError("there is no Pulumi CLI: make pulumi-cli, or install Pulumi");
    }
    process.env.PATH = `${await pulumiFolder()}:${process.env.PATH ?? ""}`;
}

async function pulumiFolder(): Promise<string> {
    return (await listBinaries(await buildFolder(PULUMI))).pulumi ?? "";
}
