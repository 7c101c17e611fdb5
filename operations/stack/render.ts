import { UserError } from "@property-search/contract";
import { execa } from "execa";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "../cluster/connect.ts";
import { PROGRAM_FOLDER } from "./program.ts";

export class RenderError extends UserError {
    override readonly name = "RenderError";
}

export interface RenderOptions {
    /** Whether to render charts with Helm; else `warn` lists them as not rendered. */
    readonly charts?: boolean;
}

/**
 * Renders the Pulumi program for a stack with config overrides, in a separate process. Overrides may be secret, so they are
 * passed by standard input, and the result comes by standard output.
 */
export async function render(
    stack: string,
    config: Readonly<Record<string, string>>,
    warn: (line: string) => void,
    { charts = true }: RenderOptions = {},
): Promise<Manifest[]> {
    const result = await execa(
        process.execPath,
        [
            ...["render.ts", "--stack", stack, "--config", "-", "--format", "yaml"],
            ...(charts ? ["--charts"] : []),
        ],
        { cwd: PROGRAM_FOLDER, input: JSON.stringify(config), reject: false },
    );
    if (result.exitCode !== 0) {
        const words = result.stderr.replace(/^Error: /, "");
        throw new RenderError(words || String(result.shortMessage));
    }
    if (result.stderr) warn(result.stderr);
    return parseAllDocuments(result.stdout).map((document) => document.toJS() as Manifest);
}
