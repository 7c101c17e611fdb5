import { describe, expect, test } from "@jest/globals";

import type { Item, ResolvedItem } from "../../src/cache/item.ts";
import { createLocalCache } from "../../src/cache/localCache.ts";
import type { Origin, Outcome } from "../../src/cache/origin.ts";
import { createResolver, type ItemResult, type Resolver } from "../../src/cache/resolver.ts";
import { createSingleFlight } from "../../src/cache/singleFlight.ts";
import { noSharedCache, type SharedCache } from "../../src/cache/tiers.ts";
import type { RequestContext } from "../../src/requestContext.ts";
import { withReuse } from "../../src/reuse/resolver.ts";
import type { LookupResult, PaidText } from "../../src/reuse/reuse.ts";
import { UpstreamError } from "../../src/upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../../src/vector/embedding.ts";
import { createContext } from "../support/requestContext.ts";
import { trueVector } from "../support/vectors.ts";

const SEMANTIC: RequestContext = { ...createContext(), cacheMode: "semantic" };
const item = (text: string): Item => ({ key: text, input: { kind: "text", text } });
const embeddingOf = (text: string): Embedding => createEmbedding(trueVector(text), 1, false);

/** Half of the texts, by an experiment. */
const BY_TEXT: RequestContext = { ...createContext(), cacheMode: "by text" };

type Report = Parameters<Origin["embed"]>[2];

interface World {
    /** Texts that Redis has. */
    readonly cached?: readonly string[];
    /** Texts that are answered from others. */
    readonly similar?: readonly string[];
    readonly audited?: readonly string[];
    /** Texts that the upstream rejects. */
    readonly rejected?: readonly string[];
    readonly isApplicable?: boolean;
}

function createWorld(world: World) {
    const calls: { readonly texts: readonly string[]; readonly purpose: string }[] = [];
    const requested: string[] = [];
    const paid: PaidText[] = [];
    let exactHits = 0;
    const resolveEach = (items: readonly Item[], { purpose }: RequestContext) => {
        calls.push({ texts: items.map(({ key }) => key), purpose });
        return Promise.resolve(
            items.map(({ key }, at): ItemResult => {
                if (world.rejected?.includes(key))
                    return new UpstreamError(400, "refused", "refused").withItem(at);
                const status = world.cached?.includes(key) ? "HIT-L2" : "MISS";
                return { embedding: embeddingOf(key), status };
            }),
        );
    };
    const inner: Resolver = {
        local: (items) =>
            items.every(({ key }) => key === "local")
                ? items.map(({ key }) => ({ embedding: embeddingOf(key), status: "HIT-L1" }))
                : undefined,
        resolveEach,
        resolve: async (items, context) =>
            (await resolveEach(items, context)).map((one) => {
                if (one instanceof Error) throw one;
                return one;
            }),
    };
    const resolver = withReuse(inner, {
        local: { get: () => undefined },
        shared: {
            read: (keys) =>
                Promise.resolve(
                    new Map(
                        keys
                            .filter((key) => world.cached?.includes(key))
                            .map((key) => [key, embeddingOf(key)]),
                    ),
                ),
        },
        dimensions: () => 16,
        cacheModeOf: (key) => (key.startsWith("treated") ? "semantic" : "exact"),
        reuse: {
            isApplicable: () => world.isApplicable ?? true,
            onExactHits: (_, items) => {
                exactHits += items;
            },
            lookUp: (items) => {
                requested.push(...items.map(({ key }) => key));
                return Promise.resolve(new Map(items.map(({ key }) => [key, lookedUp(key)])));
            },
            learn: (texts) => void paid.push(...texts),
        },
    });

    function lookedUp(key: string): LookupResult {
        const resolved: ResolvedItem | undefined = world.similar?.includes(key)
            ? {
                  embedding: embeddingOf(`predicted ${key}`),
                  status: "SEMANTIC",
                  quality: { similarity: 0.9, errorBound: 0.01 },
              }
            : undefined;
        const isAudit = world.audited?.includes(key) === true;
        return { ticket: 1, namespace: { id: "a", dimensions: 16 }, resolved, isAudit };
    }

    return {
        resolver,
        calls,
        requested,
        paid: () => paid.map(({ key }) => key),
        exactHits: () => exactHits,
    };
}

describe("a request in semantic mode", () => {
    test("asks only about what no cache has, and pays only for what is not answered", async () => {
        const world = createWorld({
            cached: ["cached"],
            similar: ["similar"],
            audited: ["audited"],
        });
        const items = ["new", "cached", "similar", "audited", "similar"].map(item);
        const resolved = await world.resolver.resolve(items, SEMANTIC);
        expect(resolved.map(({ status }) => status)).toEqual([
            "MISS",
            "HIT-L2",
            "SEMANTIC",
            "MISS",
            "SEMANTIC",
        ]);
        expect(resolved[0]?.embedding.vector).toEqual(trueVector("new"));
        expect(resolved[2]?.embedding.vector).toEqual(trueVector("predicted similar"));
        expect(world.requested).toEqual(["new", "similar", "audited"]);
        expect(world.calls).toEqual([
            { texts: ["new", "cached"], purpose: "request" },
            { texts: ["audited"], purpose: "audit" },
        ]);
        expect(world.paid()).toEqual(["new", "audited"]);
        expect(world.exactHits()).toBe(1);
    });

    test("fails with the place of the rejected item in the request, and caches the others", async () => {
        const world = createWorld({ similar: ["similar"], rejected: ["bad"] });
        const items = ["similar", "new", "bad"].map(item);
        await expect(world.resolver.resolve(items, SEMANTIC)).rejects.toMatchObject({ item: 2 });
    });

    test("that is answered by the caches alone asks nothing", async () => {
        const world = createWorld({ cached: ["cached"] });
        expect(world.resolver.local([item("local")], SEMANTIC)).toHaveLength(1);
        await world.resolver.resolve([item("cached")], SEMANTIC);
        expect(world.requested).toEqual([]);
        expect(world.exactHits()).toBe(2);
    });

    test("that reuse does not apply to is resolved as in exact mode", async () => {
        const world = createWorld({ similar: ["similar"], isApplicable: false });
        const [resolved] = await world.resolver.resolve([item("similar")], SEMANTIC);
        expect(resolved?.status).toBe("MISS");
        expect([world.requested, world.paid()]).toEqual([[], []]);
    });
});

test("the shared cache is read once, and its stale copies are served if the upstream fails", async () => {
    const reads: (readonly string[])[] = [];
    const lifetime = { createdAt: 0, computeMilliseconds: 1 };
    const copies = new Map([
        [
            "cached",
            createEmbedding(trueVector("a"), 1, false, { ...lifetime, freshUntil: Infinity }),
        ],
        ["stale", createEmbedding(trueVector("b"), 1, false, { ...lifetime, freshUntil: 1 })],
    ]);
    const local = createLocalCache({ maxEntries: 9, maxBytes: 9_999, staleSeconds: 60 });
    const shared: SharedCache = {
        ...noSharedCache,
        read: (keys) => {
            reads.push(keys);
            return Promise.resolve(copies);
        },
    };
    const embed = (items: readonly Item[], _: unknown, report: Report): Promise<void> => {
        report(new Map(items.map(({ key }) => [key, outcomeOf(key)])));
        return Promise.resolve();
    };
    const outcomeOf = (key: string): Outcome =>
        key === "stale"
            ? { error: new UpstreamError(503, "down", "down") }
            : { encoded: { key, entry: Buffer.alloc(0), bytes: 0, embedding: embeddingOf(key) } };
    const exact = createResolver({
        local,
        shared,
        singleFlight: createSingleFlight(),
        upstream: { dimensions: () => 16 },
        origin: { embed },
    });
    const resolver = withReuse(exact, {
        local,
        shared,
        dimensions: () => 16,
        cacheModeOf: (key) => (key === "control" ? "exact" : "semantic"),
        reuse: {
            isApplicable: () => true,
            onExactHits: () => undefined,
            lookUp: () => Promise.resolve(new Map()),
            learn: () => undefined,
        },
    });
    const sourcesOf = async (texts: readonly string[], context: RequestContext) =>
        (await resolver.resolve(texts.map(item), context)).map(({ status }) => status);
    expect(await sourcesOf(["new", "stale", "cached"], SEMANTIC)).toEqual([
        "MISS",
        "STALE",
        "HIT-L2",
    ]);
    expect(reads).toEqual([["new", "stale", "cached"]]);
    // A text in exact mode is not looked up, and has not been read yet.
    expect(await sourcesOf(["newer", "control"], BY_TEXT)).toEqual(["MISS", "MISS"]);
    expect(reads.slice(1)).toEqual([["newer"], ["control"]]);
});

test("an experiment turns semantic mode on for the texts of its treatment", async () => {
    const world = createWorld({ similar: ["treated", "control"] });
    const items = ["treated", "control", "treated too"].map(item);
    const resolved = await world.resolver.resolve(items, BY_TEXT);
    expect(resolved.map(({ status }) => status)).toEqual(["SEMANTIC", "MISS", "MISS"]);
    expect(world.requested).toEqual(["treated", "treated too"]);
    expect(world.paid()).toEqual(["treated too"]);
});

test("a request in exact mode gets no predicted vector, and teaches nothing", async () => {
    const world = createWorld({ similar: ["similar"] });
    const [resolved] = await world.resolver.resolve([item("similar")], createContext());
    expect(resolved?.embedding.vector).toEqual(trueVector("similar"));
    expect([world.requested, world.paid(), world.exactHits()]).toEqual([[], [], 0]);
});
