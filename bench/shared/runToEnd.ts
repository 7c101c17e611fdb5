import { execFile, type ExecFileOptions } from "node:child_process";

import { BenchError } from "./error.ts";

export interface Finished {
    /** 0, an exit code, or the name of the error or signal that prevented one. */
    readonly status: number | string;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a command until it ends, however it ends. */
export function runToEnd(
    name: string,
    args: readonly string[] = [],
    { input = "", ...options }: ExecFileOptions & { readonly input?: string } = {},
): Promise<Finished> {
    return new Promise((resolve) => {
        const child = execFile(
            name,
            args,
            { maxBuffer: 2 ** 26, ...options, encoding: "utf8" },
            (error, stdout, stderr) => {
                const status = error === null ? 0 : (error.code ?? error.signal ?? error.name);
                resolve({ status, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() });
            },
        );
        // One that ends without reading its input is reported by its status.
        child.stdin?.on("error", () => undefined).end(input);
    });
}

/** @throws BenchError with the end of what the command printed, unless it ends well */
export async function runOrThrow(...command: Parameters<typeof runToEnd>): Promise<void> {
    const [name, args = []] = command;
    const { status, stdout, stderr } = await runToEnd(...command);
    if (status === 0) return;
    const reason =
        status === "ENOENT" ? `${name} is not installed` : `${stdout}${stderr}`.slice(-800);
    throw new BenchError(`${name} ${args.slice(0, 3).join(" ")} failed: ${reason}`);
}
