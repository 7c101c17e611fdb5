import { readFile, writeFile } from "node:fs/promises";
import { ClusterError } from "../../cluster/connect.ts";
import { describeFailure, type PulumiCli } from "./cli.ts";
import { stackConfigFile, type PulumiWorkspace } from "./workspace.ts";
import { readEncryption, type Encryption } from "./stackFile.ts";

/** Whether the backend has a stack. */
export async function hasStack(cli: PulumiCli, stack: string): Promise<boolean> {
    const { exitCode, stderr } = await cli.run(["stack", "export", "--stack", stack]);
    if (exitCode === 0) return true;
    if (String(stderr).includes("no stack named")) return false;
    throw new ClusterError(describeFailure("pulumi stack export", stack, stderr));
}

/**
 * Creates a stack if the backend has none of its name. The user's selected stack stays selected.
 *
 * @returns encryption settings of a new stack; empty for an existing one
 */
export async function ensureStack(
    { stack, backendFolder }: PulumiWorkspace,
    cli: PulumiCli,
    report: (line: string) => void,
): Promise<Encryption> {
    if (await hasStack(cli, stack)) return {};
    const tracked = stackConfigFile(stack);
    const before = await readFile(tracked, "utf8");
    try {
        await cli.must(["stack", "init", stack, "--no-select"]);
        report(
            `Pulumi's backend${backendFolder ? ` in ${backendFolder}` : ""} had no stack ${stack}: created an empty one`,
        );
        return await readEncryption(tracked);
    } finally {
        // The CLI writes the salt there and reformats the whole file; the salt belongs to the config that is used.
        await writeFile(tracked, before);
    }
}
