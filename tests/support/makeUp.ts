import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { REPOSITORY } from "../../local/src/paths.ts";

export interface Ended {
    /** null when a signal ended it. */
    readonly exitCode: unknown;
    readonly output: string;
    readonly seconds: number;
}

/** Jest's own Node settings are not the user's. */
const ENVIRONMENT = { ...process.env, NODE_OPTIONS: "" };

/** Runs a command of the front door to its end, such as `make("deploy", "STACK=local")`. */
export async function make(...words: readonly string[]): Promise<Ended> {
    const started = Date.now();
    const child = spawn("make", words, {
        cwd: REPOSITORY,
        stdio: ["ignore", "pipe", "pipe"],
        env: ENVIRONMENT,
    });
    const [output, errors, exit] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "exit"),
    ]);
    const exitCode: unknown = exit[0];
    return { exitCode, output: output + errors, seconds: (Date.now() - started) / 1000 };
}

/**
 * Starts `make up` in a process group of its own and sends the whole group a signal as soon as a line of
 * its output matches, as a terminal's Ctrl-C or a killed session does.
 *
 * @returns its output.
 * @throws when it ended before such a line.
 */
export async function interruptUp(line: RegExp, signal: "SIGINT" | "SIGKILL"): Promise<string> {
    const child = spawn("make", ["up"], {
        cwd: REPOSITORY,
        detached: true,
        stdio: ["ignore", "pipe", "inherit"],
        env: ENVIRONMENT,
    });
    const exited = once(child, "exit");
    const lines: string[] = [];
    let sent = false;
    for await (const one of createInterface({ input: child.stdout })) {
        lines.push(one);
        if (sent || !line.test(one) || child.pid === undefined) continue;
        process.kill(-child.pid, signal);
        sent = true;
    }
    await exited;
    const output = lines.join("\n");
    if (!sent) throw new Error(`make up ended without a line like ${line.source}:\n${output}`);
    return output;
}
