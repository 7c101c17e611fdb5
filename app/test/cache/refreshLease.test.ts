import { expect, test } from "@jest/globals";

import { createResolver } from "../../src/cache/resolver.ts";
import { createSingleFlight } from "../../src/cache/singleFlight.ts";
import { noSharedCache } from "../../src/cache/tiers.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import { LimitError } from "../../src/upstream/limitError.ts";
import { eventually } from "../support/eventually.ts";

test("a refresh that the tenant's limits forbid releases its lease", async () => {
    const released: string[] = [];
    const isDue = { createdAt: 0, freshUntil: Date.now() + 60_000, computeMilliseconds: 1e12 };
    const embedding = createEmbedding(Float32Array.of(1), 1, false, isDue);
    const resolver = createResolver({
        local: {
            recordRequest: () => undefined,
            get: () => embedding,
            set: () => undefined,
            remove: () => false,
            removeWhere: () => undefined,
            size: () => ({ entries: 1, bytes: 1 }),
        },
        shared: { ...noSharedCache, releaseLeases: (keys) => void released.push(...keys) },
        singleFlight: createSingleFlight(),
        upstream: { dimensions: () => 1 },
        origin: { embed: () => Promise.reject(new LimitError("tokens", "no tokens are left")) },
    });
    const item = { key: "k", input: { kind: "text", text: "hot" } } as const;
    expect(resolver.local([item], { pool: "a", tenant: "a", dimensions: undefined })).toBeDefined();
    await eventually("the lease was released", () => released.length === 1);
    expect(released).toEqual(["k"]);
});
