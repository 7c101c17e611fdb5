import { execFile, type ExecFileOptions } from "node:child_process";

import { BenchError } from "./benchError.ts";

export interface Finished {
    /** The exit code, or the error code or signal if there is none. */
    readonly status: number | string;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a command and reports how it ended; it never rejects. */
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
        // A command that ends without reading its input is reported by its status.
        child.stdin?.on("error", () => undefined).end(input);
    });
}

/** @throws BenchError with the end of the output if the command fails */
export async function runOrThrow(...command: Parameters<typeof runToEnd>): Promise<void> {
    const [name, args = []] = command;
    const { status, stdout, stderr } = await runToEnd(...command);
    if (status === 0) return;
    const reason =
        status === "ENOENT" ? `${name} is not installed` : `${stdout}${stderr}`.slice(-800);
    throw new BenchError(`${[name, ...args.slice(0, 3)].join(" ")} failed: ${reason}`);
}
