import path from "node:path";

import { freePort, waitUntilReady } from "../processes/network.ts";
import type { Processes, RunningProcess, StartOptions } from "../processes/processes.ts";

const SERVER = path.join(import.meta.dirname, "server.ts");

export interface StubUpstream {
    /** Base URL with the version path. */
    readonly url: URL;
    readonly running: RunningProcess;
}

export async function startUpstream(
    processes: Processes,
    placed: Pick<StartOptions, "core" | "idle">,
): Promise<StubUpstream> {
    const port = await freePort();
    const args = [SERVER, String(port)];
    const running = processes.start(process.execPath, args, {
        name: `upstream-${port}`,
        ...placed,
    });
    const url = new URL(`http://127.0.0.1:${port}/v1`);
    await waitUntilReady("the stub upstream", new URL("/counts", url), running);
    return { url, running };
}
