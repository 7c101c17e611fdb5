import { UserError } from "@property-search/contract";
import { execa } from "execa";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "../cluster/connect.ts";
import { PROGRAM } from "./program.ts";

export class RenderError extends UserError {
    override readonly name = "RenderError";
}

export interface RenderChoice {
    /** Whether charts are rendered too, by Helm; else they are named to `warn`, as only Pulumi's to make. */
    readonly charts?: boolean;
}

/**
 * Renders the Pulumi program for a stack, in a process of its own, with these config values over the
 * stack's. They may be secret: they go in by standard input and come back by standard output, and no
 * file or command line ever holds them.
 */
export async function render(
    stack: string,
    config: Readonly<Record<string, string>>,
    warn: (line: string) => void,
    { charts = true }: RenderChoice = {},
): Promise<Manifest[]> {
    const result = await execa(
        process.execPath,
        [
            ...["render.ts", "--stack", stack, "--config", "-", "--format", "yaml"],
            ...(charts ? ["--charts"] : []),
        ],
        { cwd: PROGRAM, input: JSON.stringify(config), reject: false },
    );
    if (result.exitCode !== 0) {
        const words = result.stderr.replace(/^Error: /, "");
        throw new RenderError(words || String(result.shortMessage));
    }
    if (result.stderr) warn(result.stderr);
    return parseAllDocuments(result.stdout).map((document) => document.toJS() as Manifest);
}
