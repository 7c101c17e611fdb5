import path from "node:path";

import { headerLines, measure } from "./measure.ts";
import type { Load, Sample } from "./sample.ts";

const SCRIPT = path.join(import.meta.dirname, "post.lua");

/**
 * Closed loop: each connection sends its next request when it has the answer to the last one. This measures the
 * maximum throughput; the latencies are those of clients that never pause.
 *
 * @throws BenchError if wrk fails
 */
export function closedLoop(load: Load, signal: AbortSignal): Promise<Sample> {
    const args = [
        ...["--threads", "1", "--timeout", "10s", "--connections", String(load.connections)],
        ...["--duration", `${load.seconds}s`, "--script", SCRIPT, load.url.href, "--"],
        ...[load.bodiesFile, ...headerLines(load)],
    ];
    return measure("wrk", args, load, signal);
}
