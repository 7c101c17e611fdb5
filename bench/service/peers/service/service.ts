import { readFileSync } from "node:fs";
import path from "node:path";

import { PATHS } from "@property-search/contract";
import { SERVICE_SETTINGS, type ServiceSettings } from "@property-search/contract/settings";

import { freePort, waitUntilReady } from "../../processes/network.ts";
import { MODEL } from "../../upstream/vectors.ts";
import type { Target, Resources, Peer } from "../peer.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../..");
/** Node's flags and the module, as the image starts them. */
const [, ...IMAGE_ARGUMENTS] = imageCommand();
const FLAGS = IMAGE_ARGUMENTS.slice(0, -1);
const SERVER = path.join(ROOT, IMAGE_ARGUMENTS.at(-1) ?? "");

/** Settings other than the defaults, by their names in the contract. */
export type Settings = Partial<Record<keyof ServiceSettings, string>>;

export type ServiceResources = Omit<Resources, "answer">;

export interface Service extends Peer {
    readonly start: (resources: ServiceResources) => Promise<Target>;
}

/** The service of this checkout, run from source like in a pod, on one core. */
export function service(
    name: string,
    description: string,
    settings: (resources: ServiceResources) => Settings,
): Service {
    return serviceFrom(SERVER, {}, name, description, settings);
}

/**
 * @param entry the module that Node runs, with the same environment and probes as the service
 * @param more additional environment variables
 */
export function serviceFrom(
    entry: string,
    more: Readonly<Record<string, string>>,
    name: string,
    description: string,
    settings: (resources: ServiceResources) => Settings,
): Service {
    return {
        name,
        description,
        install: () => Promise.resolve(),
        start: async (resources) => {
            const port = await freePort();
            const values: Settings = {
                port: String(port),
                provider: "openai",
                model: MODEL,
                upstreamUrl: resources.upstream.href,
                logLevel: "warn",
                anonymous: "true",
                ...settings(resources),
            };
            const env = Object.fromEntries(
                Object.entries(values).map(([field, value]) => [
                    SERVICE_SETTINGS[field as keyof ServiceSettings].env,
                    value,
                ]),
            );
            const running = resources.processes.start(process.execPath, [...FLAGS, entry], {
                name: `service-${port}`,
                core: resources.core,
                env: { ...env, ...more, NODE_ENV: "production" },
            });
            const url = new URL(`http://127.0.0.1:${port}`);
            await waitUntilReady(name, new URL(PATHS.live, url), running);
            const endpoint = new URL(PATHS.embeddings, url);
            return { ...running, url: endpoint, headers: {}, version: process.version };
        },
    };
}

function imageCommand(): string[] {
    const dockerfile = readFileSync(path.join(ROOT, "app/Dockerfile"), "utf8");
    return JSON.parse(
        /^CMD (\[[^\]]*\])/m.exec(dockerfile)?.[1]?.replaceAll("\\\n", "") ?? "[]",
    ) as string[];
}

export const ours = service("this service", "the service, exact hits in its process", () => ({}));

/** With a local cache of one entry, so that each hit comes from Redis. */
export const oursFromRedis = service(
    "this service, Redis",
    "the service, hits in Redis: its own cache holds one entry",
    ({ redis }): Settings => ({ redisUrl: redis.href, localCacheMaxEntries: "1" }),
);

/** With both caches, as in a pod. */
export const oursWithRedis = service(
    "this service",
    "the service with Redis",
    ({ redis }): Settings => ({
        redisUrl: redis.href,
    }),
);
