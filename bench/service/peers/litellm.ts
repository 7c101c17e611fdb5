import { writeFileSync } from "node:fs";
import path from "node:path";

import { stringify } from "yaml";

import { freePort, waitUntilReady } from "../processes/network.ts";
import { MODEL } from "../upstream/vectors.ts";
import { installOnce } from "../../shared/install.ts";
import { runOrThrow } from "../../shared/runToEnd.ts";
import type { Resources, Peer } from "./peer.ts";

const VERSION = "1.106.2";
/** Its imports take many seconds on one core. */
const START_SECONDS = 120;
/** Below the 200 entries of its in-memory cache, which no setting changes. */
const MAX_ENTRIES = 128;

/** The most used proxy, with its cache in Redis. */
export const litellmRedis = litellm("LiteLLM, Redis", "with its Redis cache", ({ redis }) => ({
    type: "redis",
    host: redis.hostname,
    port: redis.port,
    ttl: 3_600,
}));

/** The same proxy with its in-memory cache. */
export const litellmLocal = litellm("LiteLLM, in memory", "with its in-memory cache", () => ({
    type: "local",
    ttl: 3_600,
}));

type CacheParams = (
    resources: Pick<Resources, "redis">,
) => Readonly<Record<string, string | number>>;

function litellm(name: string, description: string, cache: CacheParams): Peer {
    return {
        name,
        description: `LiteLLM proxy ${VERSION} ${description}, measured on ${MAX_ENTRIES} texts`,
        maxEntries: MAX_ENTRIES,
        install: async (showProgress) => {
            showProgress(`LiteLLM ${VERSION}: installs into a Python environment, a minute or two`);
            await install();
        },
        start: async ({ processes, core, upstream, redis }) => {
            const folder = await install();
            const port = await freePort();
            const file = path.join(processes.folder, `litellm-${port}.yaml`);
            writeFileSync(file, litellmConfig(upstream, cache({ redis })));
            const program = path.join(folder, "bin/litellm");
            const args = ["--config", file, "--host", "127.0.0.1", "--port", String(port)];
            const running = processes.start(program, args, {
                name: `litellm-${port}`,
                core,
                // Otherwise it downloads a price list at every start.
                env: { LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_LOG: "ERROR" },
            });
            const url = new URL(`http://127.0.0.1:${port}/v1/embeddings`);
            const live = new URL("/health/liveliness", url);
            await waitUntilReady(name, live, running, START_SECONDS);
            return { ...running, url, headers: { authorization: "Bearer none" }, version: VERSION };
        },
    };
}

function litellmConfig(
    upstream: URL,
    cacheParams: Readonly<Record<string, string | number>>,
): string {
    const parameters = { model: `openai/${MODEL}`, api_base: upstream.href, api_key: "none" };
    return stringify({
        model_list: [{ model_name: MODEL, litellm_params: parameters }],
        // Without a key it accepts every client, like the other peers here.
        general_settings: { dangerously_permit_weak_or_unset_master_key: true },
        litellm_settings: {
            cache: true,
            cache_params: { ...cacheParams, supported_call_types: ["embedding", "aembedding"] },
        },
    });
}

function install(): Promise<string> {
    return installOnce(`litellm-${VERSION}`, async (folder) => {
        await runOrThrow("python3", ["-m", "venv", folder]);
        await runOrThrow(path.join(folder, "bin/pip"), [
            "install",
            "-q",
            `litellm[proxy]==${VERSION}`,
        ]);
    });
}
