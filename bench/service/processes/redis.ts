import { BenchError } from "../../shared/benchError.ts";
import { freePort } from "./network.ts";
import type { Processes } from "./processes.ts";
import { setTimeout as wait } from "node:timers/promises";

/** Starts a real Redis without persistence. @throws BenchError */
export async function startRedis(processes: Processes, core: number): Promise<URL> {
    const port = await freePort();
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
    const running = processes.start("redis-server", args, { name: "redis", core });
    while (!running.output().includes("Ready to accept connections")) {
        if (running.hasEnded()) throw new BenchError(`redis-server ended:\n${running.output()}`);
        await wait(20);
    }
    return new URL(`redis://127.0.0.1:${port}`);
}
