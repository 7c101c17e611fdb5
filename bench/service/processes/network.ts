import { createServer, type AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { request } from "undici";

import { BenchError } from "../../shared/benchError.ts";
import type { RunningProcess } from "./processes.ts";

/** @returns a free port of the loopback interface */
export async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}

/**
 * Waits until a GET has an answer with any status.
 *
 * @throws BenchError with the output of the process if it ends or is not ready in time
 */
export async function waitUntilReady(
    name: string,
    url: URL,
    running: RunningProcess,
    seconds = 60,
): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        try {
            const { body } = await request(url);
            await body.dump();
            return;
        } catch {
            if (running.hasEnded()) throw new BenchError(`${name} ended:\n${running.output()}`);
            if (Date.now() > deadline) {
                throw new BenchError(
                    `${name} is not ready after ${seconds} s:\n${running.output()}`,
                );
            }
            await wait(50);
        }
    }
}
