import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import { BenchError } from "../../shared/benchError.ts";
import { installOnce } from "../../shared/install.ts";
import { runOrThrow, runToEnd } from "../../shared/runToEnd.ts";
import { headerLines, measure } from "./measure.ts";
import type { Load, Sample } from "./sample.ts";

const SOURCE = path.resolve(import.meta.dirname, "../openloop");

/**
 * Open loop: requests arrive at a constant rate, whether or not earlier ones have an answer, each from one of
 * `connections` users. openloop/main.go describes the measurement.
 *
 * @param rate requests per second
 * @param bodies `any` draws bodies at random; `once` sends each at most once, so there must be more bodies than
 * requests, plus one per user to open the connections
 * @throws BenchError if Go is missing or the generator fails
 */
export function openLoop(
    rate: number,
    bodies: "any" | "once" = "any",
): (load: Load, signal: AbortSignal) => Promise<Sample> {
    return async (load, signal) => {
        const { url, bodiesFile, connections, seconds } = load;
        const args = [
            ...["-url", url.href, "-bodies", bodiesFile, "-users", String(connections)],
            ...["-rate", String(rate), "-duration", `${seconds}s`],
            ...(bodies === "once" ? ["-once"] : []),
            ...headerLines(load).flatMap((header) => ["-header", header]),
        ];
        return measure(await build(), args, load, signal);
    };
}

/** Builds the generator once for each version of its source and of the compiler. */
async function build(): Promise<string> {
    const { stdout: go, status } = await runToEnd("go", ["version"]);
    if (status !== 0) {
        throw new BenchError("Go is missing: it builds the open-loop generator (go.dev)");
    }
    const digest = createHash("sha256").update(go);
    for (const file of ["go.mod", "main.go"]) digest.update(readFileSync(path.join(SOURCE, file)));
    const name = `openloop-${digest.digest("hex").slice(0, 12)}`;
    const folder = await installOnce(name, async (into) => {
        const args = [
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-o",
            path.join(into, "openloop"),
            ".",
        ];
        await runOrThrow("go", args, { cwd: SOURCE, env: { ...process.env, CGO_ENABLED: "0" } });
    });
    return path.join(folder, "openloop");
}
