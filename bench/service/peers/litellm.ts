import { writeFileSync } from "node:fs";
import path from "node:path";

import { stringify } from "yaml";

import { freePort, untilAnswers } from "../processes/network.ts";
import { MODEL } from "../upstream/vectors.ts";
import { once } from "../../shared/install.ts";
import { runOrThrow } from "../../shared/runToEnd.ts";
import type { Ground, Peer } from "./peer.ts";

const VERSION = "1.106.2";
/** It imports for many seconds on one core. */
const START_SECONDS = 120;
/** Its in-memory cache holds 200 entries, and no setting changes that. */
const HOLDS = 128;

/** The market's leader, with its cache in Redis. */
export const litellmRedis = litellm("LiteLLM, Redis", "with its Redis cache", ({ redis }) => ({
    type: "redis",
    host: redis.hostname,
    port: redis.port,
    ttl: 3_600,
}));

/** The same with its cache in its own process. */
export const litellmLocal = litellm("LiteLLM, in memory", "with its in-memory cache", () => ({
    type: "local",
    ttl: 3_600,
}));

type CacheParams = (ground: Pick<Ground, "redis">) => Readonly<Record<string, string | number>>;

function litellm(name: string, what: string, cache: CacheParams): Peer {
    return {
        name,
        what: `LiteLLM proxy ${VERSION} ${what}, measured on ${HOLDS} texts`,
        holds: HOLDS,
        prepare: async (say) => {
            say(`LiteLLM ${VERSION}: a Python environment of its own, a minute or two`);
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
                // It would fetch a price list at every start.
                env: { LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_LOG: "ERROR" },
            });
            const url = new URL(`http://127.0.0.1:${port}/v1/embeddings`);
            const live = new URL("/health/liveliness", url);
            await untilAnswers(name, live, running, START_SECONDS);
            return { ...running, url, headers: { authorization: "Bearer none" }, version: VERSION };
        },
    };
}

export function litellmConfig(
    upstream: URL,
    cacheParams: Readonly<Record<string, string | number>>,
): string {
    const parameters = { model: `openai/${MODEL}`, api_base: upstream.href, api_key: "none" };
    return stringify({
        model_list: [{ model_name: MODEL, litellm_params: parameters }],
        // Without a key it accepts everyone, as the other contestants do here, and looks nobody up.
        general_settings: { dangerously_permit_weak_or_unset_master_key: true },
        litellm_settings: {
            cache: true,
            cache_params: { ...cacheParams, supported_call_types: ["embedding", "aembedding"] },
        },
    });
}

function install(): Promise<string> {
    return once(`litellm-${VERSION}`, async (folder) => {
        await runOrThrow("python3", ["-m", "venv", folder]);
        await runOrThrow(path.join(folder, "bin/pip"), [
            "install",
            "-q",
            `litellm[proxy]==${VERSION}`,
        ]);
    });
}
