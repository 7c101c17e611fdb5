import { existsSync } from "node:fs";

import type { Dependencies } from "./container.ts";
import { createSemanticMetrics } from "./metrics/semantic.ts";
import { createChooseCacheMode, type ChooseCacheMode } from "./reuse/cacheMode.ts";
import type { ReuseConfig } from "./reuse/config.ts";
import { createRedisTextStore } from "./reuse/records/textStore.ts";
import { createReuse, type Reuse } from "./reuse/reuse.ts";
import { createInMemoryVersionedStore, createRedisVersionedStore } from "./redis/versionedStore.ts";
import { createReuseRules, STORED_RULES, type ReuseRules } from "./reuse/rules/rules.ts";
import { filesIn } from "./upstream/local/modelFiles.ts";
import { LOCAL_PROVIDER } from "./upstream/local/local.ts";

/** Semantic reuse with its run-time data, created but not started. */
export interface SemanticReuse {
    readonly config: ReuseConfig;
    readonly reuse: Reuse;
    readonly rules: ReuseRules;
    readonly chooseCacheMode: ChooseCacheMode;
    readonly start: () => Promise<void>;
    readonly close: () => Promise<void>;
}

/**
 * @param spaceOf digest of a tenant's current key space
 * @returns undefined if it is off
 */
export function createSemanticReuse(
    dependencies: Dependencies,
    spaceOf: (pool: string) => string,
): SemanticReuse | undefined {
    const { config, log, upstream, shared, redis, registry } = dependencies;
    const { invalidations, evictions, experiments } = dependencies;
    const { reuse: own } = config;
    if (!own) return undefined;
    const rules = createReuseRules(
        redis
            ? createRedisVersionedStore(redis.client, ...STORED_RULES)
            : createInMemoryVersionedStore(),
        (next) => reuse.setRules(next),
        log,
    );
    const reuse = createReuse({
        config: own,
        lookupMilliseconds: dependencies.timing.lookupMilliseconds,
        offReason: findOffReason(own, upstream.provider),
        build: config.version,
        files: filesIn(own.modelDirectory ?? ""),
        initialRules: rules.current().rules,
        spaceOf,
        dimensions: upstream.dimensions,
        isFlagged: (key) => invalidations.find(key)?.kind === "flagged",
        store:
            redis && own.textSecret !== undefined
                ? createRedisTextStore(redis.client, {
                      maxTexts: own.maxEntries,
                      lifetimeMilliseconds: dependencies.longestLifetimeMilliseconds,
                      build: config.version,
                  })
                : undefined,
        readVectors: shared.read,
        staleSeconds: config.staleIfErrorSeconds,
        events: createSemanticMetrics({
            registry,
            errorBudget: own.errorBudget,
            isPerHit: own.errorBudgetScope === "per-hit",
            report: () => reuse.report(),
        }),
        log,
    });
    evictions.add(reuse);
    return {
        config: own,
        reuse,
        rules,
        chooseCacheMode: createChooseCacheMode(
            experiments.cacheModeOf ? "by text" : own.defaultMode,
            experiments.cacheModeOfUser,
        ),
        start: async () => {
            await rules.start();
            reuse.start();
        },
        close: async () => {
            rules.stop();
            await reuse.close();
        },
    };
}

function findOffReason({ modelDirectory }: ReuseConfig, provider: string): string | undefined {
    if (provider === LOCAL_PROVIDER)
        return "service.provider is local: a signature costs as much as the vector";
    if (modelDirectory === undefined) return "no model: MODEL_DIR is not set";
    const { model, tokenizer } = filesIn(modelDirectory);
    const missing = [model, tokenizer].find((path) => !existsSync(path));
    return missing && `no model: ${missing} does not exist`;
}
