import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { KIND_KUBECONFIG } from "../kind/cluster.ts";
import { findEngine } from "../kind/engine.ts";
import { NODE } from "../kind/names.ts";

/** Words before a command that run it where the processes of pods are; none: on this machine. */
let prefix: Promise<readonly string[]> | undefined;

/** Runs a command where the processes of pods are: in kind's node, else on this machine. @returns its output */
export async function runOnNode(command: string, ...args: readonly string[]): Promise<string> {
    prefix ??= findPrefix();
    const [program = "", ...words] = [...(await prefix), command, ...args];
    const { stdout } = await promisify(execFile)(program, words);
    return stdout;
}

async function findPrefix(): Promise<readonly string[]> {
    if (process.env.KUBECONFIG !== KIND_KUBECONFIG) return [];
    const engine = await findEngine();
    if (engine === undefined)
        throw new Error("no container engine responds, which kind's node needs");
    return [engine, "exec", NODE];
}
