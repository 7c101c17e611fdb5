import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { BenchError } from "./benchError.ts";
import { installOnce } from "./install.ts";
import { runOrThrow, runToEnd } from "./runToEnd.ts";

/**
 * Builds a Go program once for each version of its source and of the compiler.
 *
 * @param source folder of its module, which has no dependencies
 * @returns path of the program
 * @throws BenchError if Go is missing or the source does not compile
 */
export async function buildGo(name: string, source: string): Promise<string> {
    const { stdout: go, status } = await runToEnd("go", ["version"]);
    if (status !== 0) {
        throw new BenchError("Go is missing: it builds the open-loop generator (go.dev)");
    }
    const digest = createHash("sha256").update(go);
    for (const file of globSync("{go.mod,*.go}", { cwd: source }).sort())
        digest.update(readFileSync(path.join(source, file)));
    const build = `${name}-${digest.digest("hex").slice(0, 12)}`;
    const folder = await installOnce(build, async (into) => {
        const args = ["build", "-trimpath", "-buildvcs=false", "-o", path.join(into, name), "."];
        await runOrThrow("go", args, { cwd: source, env: { ...process.env, CGO_ENABLED: "0" } });
    });
    return path.join(folder, name);
}
