import { createServer, type AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { request } from "undici";

import { BenchError } from "../../shared/error.ts";
import type { Running } from "./processes.ts";

/** @returns a port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}

/**
 * Waits until a GET is answered, with any status.
 *
 * @throws BenchError with what the process printed, when it ends or is not up in time.
 */
export async function untilAnswers(
    name: string,
    url: URL,
    running: Running,
    seconds = 60,
): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        try {
            const { body } = await request(url);
            await body.dump();
            return;
        } catch {
            if (running.ended()) throw new BenchError(`${name} ended:\n${running.said()}`);
            if (Date.now() > deadline) {
                throw new BenchError(`${name} is not up after ${seconds} s:\n${running.said()}`);
            }
            await wait(50);
        }
    }
}
