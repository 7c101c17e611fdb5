import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

import { CACHE_KEY_PREFIX } from "@property-search/contract";

import type { RedisConfig } from "../../src/redis/config.ts";

export interface RedisServer {
    readonly port: number;
    readonly url: URL;
    /** How clients reach it. */
    readonly config: RedisConfig;
    /** Runs one command by redis-cli and returns what it prints. */
    readonly command: (...words: readonly string[]) => string;
    /** Stops responding and keeps its connections, like a hung machine. */
    readonly pause: () => void;
    readonly resume: () => void;
    readonly kill: () => Promise<void>;
}

/**
 * Below the system's ephemeral ports, any of which may be taken meanwhile; so is the port of a Redis
 * Cluster's bus, 10,000 above.
 */
const FIRST_PORT = 12_000;
const PORTS = 10_000;

/** Keys of entries end with a SHA-256. */
const ENTRY = new RegExp(`^${CACHE_KEY_PREFIX}[\\w-]{43}$`, "gm");

/** Keys of the cache's entries: the service keeps other keys beside them. */
export const entriesIn = (redis: RedisServer): readonly string[] =>
    redis.command("KEYS", `${CACHE_KEY_PREFIX}*`).match(ENTRY) ?? [];

export const countEntries = (redis: RedisServer): number => entriesIn(redis).length;

/** @returns an unused port of the loopback interface, which no other test gets while this process runs */
export async function freePort(): Promise<number> {
    for (;;) {
        const port = FIRST_PORT + randomInt(PORTS);
        if ((await reserve(port)) && (await isFree(port))) return port;
    }
}

/** Takes the same port of UDP, where nothing else listens: it is free again whenever this process ends. */
async function reserve(port: number): Promise<boolean> {
    const socket = createSocket("udp4").unref();
    socket.bind(port, "127.0.0.1");
    return once(socket, "listening").then(
        () => true,
        () => false,
    );
}

async function isFree(port: number): Promise<boolean> {
    const server = createServer();
    server.listen(port, "127.0.0.1");
    try {
        await once(server, "listening");
    } catch {
        return false;
    }
    server.close();
    await once(server, "close");
    return true;
}

/** Another program may take a port between its choice and the start of Redis. */
const MAX_STARTS = 5;

/** Starts a real Redis without persistence, and waits until it accepts connections. */
export async function startRedis(
    port?: number,
    settings: readonly string[] = [],
): Promise<RedisServer> {
    for (let starts = 1; ; starts += 1) {
        const chosen = port ?? (await freePort());
        const args = ["--port", String(chosen), "--bind", "127.0.0.1", "--save", "", ...settings];
        try {
            return await run(chosen, args, "Ready to accept connections");
        } catch (error) {
            if (port !== undefined || starts === MAX_STARTS) throw error;
        }
    }
}

/** Starts a real sentinel with its configuration file, which it also writes to. */
export function startSentinel(port: number, file: string, password = ""): Promise<RedisServer> {
    return run(port, [file, "--sentinel"], "Sentinel ID is", password);
}

async function run(
    port: number,
    args: readonly string[],
    readyWhen: string,
    password = "",
): Promise<RedisServer> {
    const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
    await ready(server, readyWhen);
    const url = new URL(`redis://127.0.0.1:${port}`);
    const login = password === "" ? [] : ["--no-auth-warning", "-a", password];
    return {
        port,
        url,
        config: { urls: [url], mode: "standalone" },
        command: (...words) =>
            spawnSync("redis-cli", ["-p", String(port), ...login, ...words], { encoding: "utf8" })
                .stdout,
        pause: () => void server.kill("SIGSTOP"),
        resume: () => void server.kill("SIGCONT"),
        kill: async () => {
            if (server.exitCode !== null || server.signalCode !== null) return;
            const exited = once(server, "exit");
            server.kill("SIGKILL");
            await exited;
        },
    };
}

function ready(server: ChildProcess, when: string): Promise<void> {
    return new Promise((resolve, reject) => {
        let output = "";
        server.stdout?.setEncoding("utf8").on("data", (text: string) => {
            output += text;
            if (output.includes(when)) resolve();
        });
        server.once("error", (error) => {
            const hint = "redis-server is missing: `make test-tools` installs it";
            reject(new Error(hint, { cause: error }));
        });
        server.once("exit", () => reject(new Error(`redis-server ended: ${output}`)));
    });
}
