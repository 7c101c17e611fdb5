import { readFile, writeFile } from "node:fs/promises";
import { ClusterError } from "../../cluster/connect.ts";
import { describeFailure, type PulumiCli } from "./cli.ts";
import { stackConfigFile, type PulumiWorkspace } from "./workspace.ts";
import { objectsOf, type StateObject } from "./state.ts";
import { readEncryption, type Encryption } from "./stackFile.ts";

/** Objects of a stack's state; undefined if the backend has no such stack. */
export async function readStackObjects(
    cli: PulumiCli,
    stack: string,
): Promise<readonly StateObject[] | undefined> {
    const { exitCode, stdout, stderr } = await cli.run(["stack", "export", "--stack", stack]);
    if (exitCode === 0) return objectsOf(JSON.parse(String(stdout)));
    if (String(stderr).includes("no stack named")) return undefined;
    throw new ClusterError(describeFailure("pulumi stack export", stack, stderr));
}

/** A stack of the backend. */
export interface KnownStack {
    readonly isDeployed: boolean;
    /** Encryption settings of a stack that has just been created; empty for any other. */
    readonly encryption: Encryption;
}

/**
 * Creates a stack if the backend has none of its name. The user's selected stack stays selected.
 *
 * @returns whether the stack has objects, and the encryption settings of a new one
 */
export async function ensureStack(
    { stack, backendFolder }: PulumiWorkspace,
    cli: PulumiCli,
    report: (line: string) => void,
): Promise<KnownStack> {
    const objects = await readStackObjects(cli, stack);
    if (objects) return { isDeployed: objects.length > 0, encryption: {} };
    const tracked = stackConfigFile(stack);
    const before = await readFile(tracked, "utf8");
    try {
        await cli.must(["stack", "init", stack, "--no-select"]);
        report(
            `Pulumi's backend${backendFolder ? ` in ${backendFolder}` : ""} had no stack ${stack}: created an empty one`,
        );
        return { isDeployed: false, encryption: await readEncryption(tracked) };
    } finally {
        // The CLI writes the salt there and reformats the whole file; the salt belongs to the config that is used.
        await writeFile(tracked, before);
    }
}
