import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { PATHS } from "@property-search/contract";

import type { Environment } from "../../src/settingsReader.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./redisServer.ts";

const ROOT = join(import.meta.dirname, "../../..");
const SERVER = join(ROOT, "app/src/server.ts");
/** Node's flags in the image. */
const FLAGS = readFileSync(join(ROOT, "app/Dockerfile"), "utf8").match(/(?<=")--[^"]+(?=")/g) ?? [];

/** The real server in its own process, like a pod. */
export interface Pod {
    readonly process: ChildProcess;
    readonly port: number;
    readonly url: string;
    readonly ask: (text: string) => Promise<Response>;
    /** Asks it to end, like Kubernetes. */
    readonly end: () => Promise<void>;
}

let running: ChildProcess[] = [];

/** Starts the image's command without waiting. Its output can be read from its pipes. */
export function startServer(environment: Environment): ChildProcess {
    const child = spawn(process.execPath, [...FLAGS, SERVER], {
        env: { PATH: process.env.PATH, LOG_LEVEL: "error", ANONYMOUS: "true", ...environment },
        stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(child);
    return child;
}

/**
 * Starts it and waits until it is ready.
 *
 * @param seconds of the longest wait
 */
export async function startPod(environment: Environment, seconds?: number): Promise<Pod> {
    const port = Number(environment.PORT ?? (await freePort()));
    const child = startServer({ ...environment, PORT: String(port) });
    child.stdout?.resume();
    const url = `http://127.0.0.1:${port}`;
    await untilReady(url, seconds);
    return {
        process: child,
        port,
        url,
        ask: (text) => fetch(url + PATHS.embed, { method: "POST", body: JSON.stringify({ text }) }),
        end: async () => {
            const exit = once(child, "exit");
            child.kill("SIGTERM");
            await exit;
        },
    };
}

export async function untilReady(url: string, seconds?: number): Promise<void> {
    const isReady = async (): Promise<boolean> => {
        const answer = await fetch(url + PATHS.ready).catch(() => undefined);
        return answer?.status === 200;
    };
    await eventually("the server is ready", isReady, seconds);
}

/** Ends everything started since the last call, immediately. */
export function killPods(): void {
    for (const child of running) child.kill("SIGKILL");
    running = [];
}
