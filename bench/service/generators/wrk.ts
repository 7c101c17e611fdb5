import path from "node:path";

import { headerLines, measured } from "./measured.ts";
import type { Load, Sample } from "./sample.ts";

const SCRIPT = path.join(import.meta.dirname, "post.lua");

/**
 * Closed loop: each connection sends its next request when it has its answer. That shows what a
 * server can do at most; its latencies hold for this number of clients that never pause.
 *
 * @throws BenchError when wrk fails.
 */
export function closedLoop(load: Load, signal: AbortSignal): Promise<Sample> {
    const args = [
        ...["--threads", "1", "--timeout", "10s", "--connections", String(load.connections)],
        ...["--duration", `${load.seconds}s`, "--script", SCRIPT, load.url.href, "--"],
        ...[load.bodiesFile, ...headerLines(load)],
    ];
    return measured("wrk", args, load, signal);
}
