import path from "node:path";

import { buildGo } from "../../shared/goProgram.ts";
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
        return measure(await buildGo("openloop", SOURCE), args, load, signal);
    };
}
