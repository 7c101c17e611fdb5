import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { pino } from "pino";

import { setUp } from "../../../tests/support/setUp.ts";
import { wallClock } from "../../src/clock.ts";
import { createSingleFlight } from "../../src/cache/singleFlight.ts";
import { createLocalCache } from "../../src/cache/localCache.ts";
import { createOrigin, type OriginDependencies } from "../../src/cache/origin.ts";
import { createRedisCache } from "../../src/cache/redisCache.ts";
import { createRedisClient } from "../../src/redis/client.ts";
import { createResolver, type Resolver } from "../../src/cache/resolver.ts";
import type { Input } from "../../src/input.ts";
import { LimitError } from "../../src/upstream/limitError.ts";
import { UpstreamError } from "../../src/upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../../src/vector/embedding.ts";
import { createEntryCodec, buildIdOf } from "../../src/vector/entry.ts";
import { batchedUpstream } from "../support/embedAll.ts";
import { eventually } from "../support/eventually.ts";
import { createContext } from "../support/requestContext.ts";
import { setUpRedis } from "../support/setUp.ts";
import { DIMENSIONS, trueTokens, trueVector } from "../support/vectors.ts";

const log = pino({ level: "silent" });
const codec = createEntryCodec({ precision: "float32", buildId: buildIdOf(["test"]) });
const BAD = "bad";
const down = new UpstreamError(503, "upstream_error", "The upstream responded with 500");

const redis = setUpRedis();

const shared = setUp(
    () =>
        createRedisCache(createRedisClient(redis.config, log), {
            codec,
            staleSeconds: 60,
            log,
        }),
    (one) => one.close(),
);

beforeAll(() => eventually("Redis is connected", () => shared.state() === "up"));

beforeEach(() => void redis.command("FLUSHALL"));

/** An upstream whose responses the test controls. */
interface Source {
    readonly calls: (readonly string[])[];
    readonly bills: { readonly tokens: number; readonly calls: number }[];
    fails: UpstreamError | undefined;
    /** Calls wait for it. */
    gate: Promise<unknown>;
}

function source(): Source {
    return { calls: [], bills: [], fails: undefined, gate: Promise.resolve() };
}

/** Blocks the calls of an upstream until the test releases them. */
function gated(from: Source): { readonly resolve: () => void } {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    from.gate = promise;
    return { resolve: () => resolve(undefined) };
}

interface PodOptions {
    readonly ttlSeconds?: number;
    readonly staleSeconds?: number;
    readonly reserve?: OriginDependencies["reserve"];
}

function pod(
    from: Source,
    { ttlSeconds = 600, staleSeconds = 60, reserve }: PodOptions = {},
): Resolver {
    async function embed(inputs: readonly Input[]): Promise<readonly Embedding[]> {
        const texts = inputs.map((input) => (input.kind === "text" ? input.text : ""));
        from.calls.push(texts);
        await from.gate;
        if (from.fails) throw from.fails;
        if (texts.some((text) => text.includes(BAD))) {
            throw new UpstreamError(400, "refused", "refused");
        }
        return texts.map((text) => createEmbedding(trueVector(text), trueTokens(text), false));
    }
    return createResolver({
        local: createLocalCache({ maxEntries: 100, maxBytes: 1e9, staleSeconds }),
        shared,
        singleFlight: createSingleFlight(),
        upstream: { dimensions: () => DIMENSIONS },
        origin: createOrigin({
            upstream: batchedUpstream(embed),
            codec,
            ttlSecondsOf: () => ttlSeconds,
            spaceOf: () => "5ace",
            onBilled: (_, tokens, calls) => void from.bills.push({ tokens, calls }),
            ...(reserve && { reserve }),
            random: () => 0,
        }),
    });
}

const ask = (at: Resolver, ...texts: string[]) =>
    at.resolve(
        texts.map((text) => ({ key: text, input: { kind: "text", text } as const })),
        createContext(),
    );

async function statuses(at: Resolver, ...texts: string[]): Promise<string[]> {
    return (await ask(at, ...texts)).map(({ status }) => status);
}

const stored = (text: string): boolean =>
    redis.command("EXISTS", `embedding:${text}`).startsWith("1");

describe("an expired entry", () => {
    const OVER = { ttlSeconds: -1 };

    test("is fetched again while the upstream is available", async () => {
        const from = source();
        const at = pod(from, OVER);
        await ask(at, "old");
        expect(await statuses(at, "old")).toEqual(["MISS"]);
        expect(from.calls).toHaveLength(2);
    });

    test("is served as STALE when the upstream fails, from memory and from Redis", async () => {
        const from = source();
        const at = pod(from, OVER);
        await ask(at, "old");
        await eventually("it is stored", () => stored("old"));
        from.fails = down;
        expect(await statuses(at, "old")).toEqual(["STALE"]);
        expect(await statuses(pod(from, OVER), "old")).toEqual(["STALE"]);
        await expect(ask(at, "old", "never seen")).rejects.toMatchObject({ status: 503, item: 1 });
    });

    test("is served after half a second if the upstream hangs, immediately from then on, while the fetch continues", async () => {
        const from = source();
        const at = pod(from, { ttlSeconds: 0.3 });
        await ask(at, "slow");
        await new Promise((resolve) => setTimeout(resolve, 320));
        const gate = gated(from);
        const begun = performance.now();
        expect(await statuses(at, "slow")).toEqual(["STALE"]);
        expect(performance.now() - begun).toBeGreaterThanOrEqual(480);
        for (let n = 0; n < 40; n += 1) expect(await statuses(at, "slow")).toEqual(["STALE"]);
        // Less than as many waits would take, on any machine.
        expect(performance.now() - begun).toBeLessThan(40 * 480);
        expect(from.calls).toEqual([["slow"], ["slow"]]);
        gate.resolve();
        await eventually("the new one is there", async () =>
            ["HIT-L1", "HIT-L2"].includes((await statuses(at, "slow"))[0] ?? ""),
        );
    });

    test("is not served for an input that is rejected now", async () => {
        const from = source();
        const at = pod(from, OVER);
        await ask(at, "old");
        from.fails = new UpstreamError(400, "refused", "refused");
        await expect(ask(at, "old")).rejects.toMatchObject({ status: 400 });
    });

    test("is gone after STALE_IF_ERROR_SECONDS", async () => {
        const from = source();
        const at = pod(from, { ttlSeconds: -1, staleSeconds: 0 });
        await ask(at, "old");
        redis.command("FLUSHALL");
        from.fails = down;
        await expect(ask(at, "old")).rejects.toMatchObject({ status: 503 });
    });

    test("lives as long despite steps of the system clock", async () => {
        const from = source();
        const at = pod(from);
        await ask(at, "steady");
        const { now } = Date;
        try {
            for (const step of [-1, 1]) {
                Date.now = () => now() + step * 365 * 86_400_000;
                expect(await statuses(at, "steady")).toEqual(["HIT-L1"]);
                expect(await statuses(pod(from), "steady")).toEqual(["HIT-L2"]);
            }
        } finally {
            Date.now = now;
        }
        expect(from.calls).toHaveLength(1);
    });
});

describe("a hit near its entry's expiry", () => {
    test("refreshes it in the background, once, and responds immediately", async () => {
        const from = source();
        const gate = gated(from);
        const at = pod(from);
        const now = wallClock();
        const life = { createdAt: now, freshUntil: now + 30_000, computeMilliseconds: 1e9 };
        await shared.write([
            codec.encode("hot", createEmbedding(trueVector("hot"), 1, false, life), "5ace"),
        ]);
        expect(await statuses(at, "hot")).toEqual(["HIT-L2"]);
        await eventually("it is being renewed", () => from.calls.length === 1);
        expect(await statuses(at, "hot")).toEqual(["HIT-L1"]);
        expect(await statuses(pod(from), "hot")).toEqual(["HIT-L2"]);
        gate.resolve();
        await eventually("the new one is there", async () => {
            const [resolved] = await ask(at, "hot");
            return (resolved?.embedding.freshUntil ?? 0) > life.freshUntil;
        });
        expect(from.calls).toEqual([["hot"]]);
    });
});

describe("a hot entry in the memory of two pods", () => {
    test("is refreshed by one of them; the other adopts the stored one", async () => {
        const from = source();
        const gate = gated(from);
        const pods = [pod(from), pod(from)] as const;
        const now = wallClock();
        const life = { createdAt: now, freshUntil: now + 30_000, computeMilliseconds: 1e9 };
        await shared.write([
            codec.encode("hot", createEmbedding(trueVector("hot"), 1, false, life), "5ace"),
        ]);
        for (const at of pods) expect(await statuses(at, "hot")).toEqual(["HIT-L2"]);
        await eventually("it is being renewed", () => from.calls.length === 1);
        gate.resolve();
        await eventually("its lease is over", () =>
            redis.command("EXISTS", "embedding:lease:hot").startsWith("0"),
        );
        for (const at of pods) {
            await eventually("the new one is there", async () => {
                const [resolved] = await ask(at, "hot");
                return (resolved?.embedding.freshUntil ?? 0) > life.freshUntil;
            });
        }
        expect(from.calls).toEqual([["hot"]]);
    });
});

describe("a request that joins another lookup", () => {
    const item = { key: "joined", input: { kind: "text", text: "joined" } } as const;

    test("does not share its deadline", async () => {
        const from = source();
        const gate = gated(from);
        const at = pod(from);
        const hasty = at.resolve([item], createContext(1_500));
        const patient = at.resolve([item], createContext(60_000));
        await eventually("it is called", () => from.calls.length === 1);
        await expect(hasty).rejects.toMatchObject({ status: 504 });
        await eventually("it is called again", () => from.calls.length === 2);
        gate.resolve();
        const [resolved] = await patient;
        expect(resolved?.embedding.vector).toEqual(trueVector("joined"));
    });

    test("does not wait until its deadline, such as a warm-up's minute", async () => {
        const from = source();
        const gate = gated(from);
        const at = pod(from);
        const patient = at.resolve([item], createContext(600_000));
        await eventually("it is called", () => from.calls.length === 1);
        await expect(at.resolve([item], createContext(100))).rejects.toMatchObject({ status: 504 });
        gate.resolve();
        expect(await patient).toHaveLength(1);
        expect(from.calls).toHaveLength(1);
    });

    test("uses nothing of its tenant's limits", async () => {
        const from = source();
        const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
        const at = pod(from, {
            reserve: ({ tenant }) =>
                tenant === "poor"
                    ? begun.then(() => Promise.reject(new LimitError("tokens", "no tokens left")))
                    : undefined,
        });
        const poor = at.resolve([item], { ...createContext(), tenant: "poor" });
        const rich = at.resolve([item], { ...createContext(), tenant: "rich" });
        begin(undefined);
        await expect(poor).rejects.toThrow("no tokens left");
        expect((await rich)[0]?.embedding.vector).toEqual(trueVector("joined"));
    });
});

describe("one key requested in two pods at once", () => {
    test("is fetched once; the other pod waits and gets the first one's vector", async () => {
        const from = source();
        const gate = gated(from);
        const both = [statuses(pod(from), "shared"), statuses(pod(from), "shared")];
        await eventually("one pod has asked", () => from.calls.length === 1);
        gate.resolve();
        expect((await Promise.all(both)).flat().toSorted()).toEqual(["COALESCED", "MISS"]);
        expect(from.calls).toEqual([["shared"]]);
    });

    test("is fetched by the second pod when the first gives up", async () => {
        const [failing, working] = [source(), source()];
        const gate = gated(failing);
        failing.fails = down;
        const first = ask(pod(failing), "given up");
        await eventually("the first pod has asked", () => failing.calls.length === 1);
        const second = statuses(pod(working), "given up");
        gate.resolve();
        await expect(first).rejects.toMatchObject({ status: 503 });
        expect(await second).toEqual(["MISS"]);
    });

    test("does not wait for a killed pod's lease beyond a share of its own time", async () => {
        const from = source();
        redis.command("SET", "embedding:lease:orphan", "a dead pod", "PX", "60000");
        const [resolved] = await pod(from).resolve(
            [{ key: "orphan", input: { kind: "text", text: "orphan" } }],
            createContext(4_000),
        );
        expect(resolved?.status).toBe("MISS");
    });

    test("a lease is only released by its holder", async () => {
        expect((await shared.acquireLeases(["mine"], "me", 60_000)).has("mine")).toBe(true);
        expect((await shared.acquireLeases(["mine"], "you", 60_000)).has("mine")).toBe(false);
        shared.releaseLeases(["mine"], "you", 0);
        expect((await shared.acquireLeases(["mine"], "you", 60_000)).has("mine")).toBe(false);
        shared.releaseLeases(["mine"], "me", 0);
        await eventually("it is free", async () =>
            (await shared.acquireLeases(["mine"], "you", 60_000)).has("mine"),
        );
    });
});

describe("a lease of which Redis never said anything", () => {
    test("does not exist when Redis is back, so that no pod waits for it", async () => {
        redis.pause();
        expect((await shared.acquireLeases(["unsure"], "me", 60_000)).has("unsure")).toBe(true);
        await eventually("Redis is down", async () => {
            await shared.read(["any"], undefined);
            return shared.state() === "down";
        });
        shared.releaseLeases(["unsure"], "me", 200);
        redis.resume();
        await eventually("Redis is up", () => shared.state() === "up");
        await eventually("it is free", () =>
            redis.command("EXISTS", "embedding:lease:unsure").startsWith("0"),
        );
    });
});

describe("a request of several calls", () => {
    test("is billed for all its tokens, and once if requests have a price", async () => {
        const from = source();
        await ask(pod(from), ...Array.from({ length: 600 }, (_, n) => `part ${n}`));
        expect(from.calls.map(({ length }) => length)).toEqual([256, 256, 88]);
        const sumOf = (what: "tokens" | "calls"): number =>
            from.bills.reduce((sum, bill) => sum + bill[what], 0);
        expect([sumOf("tokens"), sumOf("calls")]).toEqual([600 * 2, 1]);
    });
});

describe("a batch with rejected inputs", () => {
    test("fails with the first of them, and all others are cached", async () => {
        const from = source();
        const at = pod(from);
        const texts = Array.from({ length: 50 }, (_, n) => (n === 37 ? `${BAD} one` : `good ${n}`));
        await expect(ask(at, ...texts)).rejects.toMatchObject({ status: 400, item: 37 });
        expect(from.calls.length).toBeLessThanOrEqual(13);
        const good = texts.filter((text) => !text.includes(BAD));
        expect(new Set(await statuses(at, ...good))).toEqual(new Set(["HIT-L1"]));
    });

    test("does not request a rejected input again", async () => {
        const from = source();
        const at = pod(from);
        await expect(ask(at, `${BAD} again`)).rejects.toMatchObject({ status: 400 });
        await expect(ask(at, `${BAD} again`, "fine")).rejects.toMatchObject({
            status: 400,
            item: 0,
        });
        expect(from.calls).toEqual([[`${BAD} again`], ["fine"]]);
    });

    test("that are all rejected costs a bounded number of calls", async () => {
        const from = source();
        const texts = Array.from({ length: 500 }, (_, n) => `${BAD} ${n}`);
        await expect(ask(pod(from), ...texts)).rejects.toMatchObject({ status: 400 });
        expect(from.calls.length).toBeLessThanOrEqual(64);
    });
});
