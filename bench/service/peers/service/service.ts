import path from "node:path";

import { ENVIRONMENT, PATHS } from "@property-search/contract";

import { freePort, untilAnswers } from "../../processes/network.ts";
import { MODEL } from "../../upstream/vectors.ts";
import type { Contestant, Ground, Peer } from "../peer.ts";

const SERVER = path.resolve(import.meta.dirname, "../../../../app/src/server.ts");

/** Settings that differ from the service's defaults, by the contract's names. */
type Settings = Partial<Record<keyof typeof ENVIRONMENT, string>>;

export type ServiceGround = Omit<Ground, "answer">;

export interface Service extends Peer {
    readonly start: (ground: ServiceGround) => Promise<Contestant>;
}

/** The service of this checkout, as a pod runs it: its source, on one core. */
export function service(
    name: string,
    what: string,
    settings: (ground: ServiceGround) => Settings,
): Service {
    return serviceOf(SERVER, {}, name, what, settings);
}

/**
 * @param entry the module that Node runs; it is configured and probed like the service's own.
 * @param more of its environment.
 */
export function serviceOf(
    entry: string,
    more: Readonly<Record<string, string>>,
    name: string,
    what: string,
    settings: (ground: ServiceGround) => Settings,
): Service {
    return {
        name,
        what,
        prepare: () => Promise.resolve(),
        start: async (ground) => {
            const port = await freePort();
            const told: Settings = {
                port: String(port),
                provider: "openai",
                model: MODEL,
                upstreamUrl: ground.upstream.href,
                logLevel: "warn",
                anonymous: "true",
                ...settings(ground),
            };
            const env = Object.fromEntries(
                Object.entries(told).map(([field, value]) => [
                    ENVIRONMENT[field as keyof typeof ENVIRONMENT],
                    value,
                ]),
            );
            const running = ground.processes.start(process.execPath, [entry], {
                name: `service-${port}`,
                core: ground.core,
                env: { ...env, ...more, NODE_ENV: "production" },
            });
            const url = new URL(`http://127.0.0.1:${port}`);
            await untilAnswers(name, new URL(PATHS.live, url), running);
            const endpoint = new URL(PATHS.embeddings, url);
            return { ...running, url: endpoint, headers: {}, version: process.version };
        },
    };
}

export const ours = service("this service", "the service, exact hits in its process", () => ({}));

/** A cache of one entry in the process: each hit is one of Redis. */
export const oursFromRedis = service(
    "this service, Redis",
    "the service, hits in Redis: its own cache holds one entry",
    ({ redis }) => ({ redisUrl: redis.href, maxLocalCacheSize: "1" }),
);

/** As pods run, with both caches. */
export const oursWithRedis = service("this service", "the service with Redis", ({ redis }) => ({
    redisUrl: redis.href,
}));
