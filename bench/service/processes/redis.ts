import { BenchError } from "../../shared/error.ts";
import { freePort } from "./network.ts";
import type { Processes } from "./processes.ts";
import { setTimeout as wait } from "node:timers/promises";

/** Starts a real Redis that keeps nothing on disk. @throws BenchError */
export async function startRedis(processes: Processes, core: number): Promise<URL> {
    const port = await freePort();
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
    const running = processes.start("redis-server", args, { name: "redis", core });
    while (!running.said().includes("Ready to accept connections")) {
        if (running.ended()) throw new BenchError(`redis-server ended:\n${running.said()}`);
        await wait(20);
    }
    return new URL(`redis://127.0.0.1:${port}`);
}
