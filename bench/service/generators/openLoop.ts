import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import { BenchError } from "../../shared/error.ts";
import { once } from "../../shared/install.ts";
import { runOrThrow, runToEnd } from "../../shared/runToEnd.ts";
import { headerLines, measured } from "./measured.ts";
import type { Load, Sample } from "./sample.ts";

const SOURCE = path.resolve(import.meta.dirname, "../openloop");

/**
 * Open loop: so many requests a second arrive, whether or not earlier ones are answered, each from
 * one of `connections` users; openloop/main.go says how it is measured.
 *
 * @param rate requests a second
 * @param bodies whether each of them is drawn at random, or each is sent once at most: then there must be
 * more than arrive, and one more for each user, whose connection is tried before the clock runs.
 * @throws BenchError when Go is missing or the generator fails.
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
        return measured(await build(), args, load, signal);
    };
}

/** Builds it once for each version of its source and of the compiler. */
async function build(): Promise<string> {
    const { stdout: go, status } = await runToEnd("go", ["version"]);
    if (status !== 0) {
        throw new BenchError("Go is missing: the open loop's generator is built with it (go.dev)");
    }
    const digest = createHash("sha256").update(go);
    for (const file of ["go.mod", "main.go"]) digest.update(readFileSync(path.join(SOURCE, file)));
    const name = `openloop-${digest.digest("hex").slice(0, 12)}`;
    const folder = await once(name, async (into) => {
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
