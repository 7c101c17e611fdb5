import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { METRICS, PATHS } from "@property-search/contract";

import { eventually } from "../support/eventually.ts";
import { startCluster } from "../support/redisCluster.ts";
import { startRedis, type RedisServer } from "../support/redisServer.ts";
import {
    ACTIVE,
    ask,
    begin,
    CANDIDATE,
    JUDGEMENT,
    promote,
    startBuild,
    startModels,
    texts,
    writersAt,
    type Models,
} from "../support/release.ts";
import type { Service } from "../support/service.ts";
import type { StubUpstream } from "../support/stubUpstream.ts";

const MANY = 3_072;
const RECORDS = "embedding:{trials}";

let models: Models;
let folder: string;
let redis: RedisServer;
let active: Service;
let candidate: Service;
let stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
    models = await startModels();
});

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "trials-"));
    stops.push(() => rm(folder, { recursive: true }));
    redis = await redisOn();
    active = await pod(ACTIVE, models.honest);
    candidate = await pod(CANDIDATE, models.lying);
});

afterEach(async () => {
    for (const stop of stops.toReversed()) await stop();
    stops = [];
});

afterAll(() => models.stop());

async function redisOn(port?: number): Promise<RedisServer> {
    const server = await startRedis(port, ["--dir", folder, "--dbfilename", "trials.rdb"]);
    stops.push(server.kill);
    return server;
}

async function pod(
    build: typeof ACTIVE | typeof CANDIDATE,
    model: StubUpstream,
    environment: Readonly<Record<string, string>> = { REDIS_URL: redis.url.href },
): Promise<Service> {
    const service = await startBuild(build, model, environment);
    stops.push(service.stop);
    await up(service);
    return service;
}

const up = (service: Service): Promise<void> =>
    eventually("Redis is up", async () => {
        const { json } = await service.get(PATHS.health);
        return (json as { redis: string }).redis === "up" && (await writersAt(service)).current;
    });

/** Ends as a rollback ends it: nobody says anything about its entries. */
async function gone(service: Service): Promise<void> {
    stops = stops.filter((stop) => stop !== service.stop);
    await service.stop();
}

const entries = (server = redis): number =>
    server.command("KEYS", "embedding:*").match(/^embedding:[\w-]{43}$/gm)?.length ?? 0;

const stored = (count: number): Promise<void> =>
    eventually(`${count} entries are stored`, () => entries() === count);

const knows = (service: Service, state = "trial", release = "one"): Promise<void> =>
    eventually(`a pod knows of ${state} in ${release}`, async () => {
        const [latest] = (await writersAt(service)).known;
        return latest?.state === state && latest.release === release;
    });

const refused = (service: Service, reason: string): Promise<number> =>
    service.metric(`${METRICS.quarantineSkipped}{reason="${reason}"}`);

describe("Without a trial", () => {
    test("a candidate whose model lies poisons the others: what these tests look for is there", async () => {
        await ask(candidate, texts(10));
        await stored(10);
        expect(await ask(active, texts(10))).toMatchObject({
            lies: 10,
            statuses: { "HIT-L2": 10 },
        });
    });
});

describe("A candidate on trial whose model lies", () => {
    beforeEach(async () => {
        expect((await begin(candidate, candidate)).status).toBe(200);
        await knows(active);
    });

    test("writes thousands of entries, none of which the active colour serves, in the trial or after its end", async () => {
        await ask(candidate, texts(MANY));
        await stored(MANY);
        const half = texts(MANY).slice(0, MANY / 2);
        const during = await ask(active, half);
        expect(during).toMatchObject({ lies: 0, statuses: { MISS: half.length } });
        expect(await refused(active, "quarantined")).toBe(half.length);
        await gone(candidate);
        // It starts warm, from the keys that were hot in the candidate, too.
        const late = await pod(ACTIVE, models.honest);
        expect((await writersAt(late)).known).toMatchObject([{ state: "trial" }]);
        for (const one of [active, late]) expect((await ask(one, texts(MANY))).lies).toBe(0);
        await stored(MANY);
        const last = await ask(await pod(ACTIVE, models.honest), texts(MANY));
        expect(last.lies).toBe(0);
        // What it had written was written over.
        expect(last.statuses["HIT-L1"] + last.statuses["HIT-L2"]).toBe(MANY);
    }, 60_000);

    test("is served what the active colour writes, so that it is as warm", async () => {
        await ask(active, texts(100));
        await stored(100);
        expect(await ask(candidate, texts(100))).toMatchObject({
            lies: 0,
            statuses: { "HIT-L2": 100 },
        });
        for (let n = 0; n < 5; n += 1) await ask(active, texts(100));
        await gone(active);
        const late = await pod(CANDIDATE, models.lying);
        expect((await ask(late, texts(100))).statuses["HIT-L1"]).toBeGreaterThan(0);
    });

    test("serves its own entries, from other pods of it too", async () => {
        await ask(candidate, texts(100));
        await stored(100);
        const sibling = await pod(CANDIDATE, models.lying);
        expect((await ask(sibling, texts(100))).statuses.MISS).toBe(0);
    });

    test("is not waited for when both fetch the same text", async () => {
        const held = Promise.withResolvers<undefined>();
        models.lying.misbehave((_, response) => {
            void held.promise.then(() => response.destroy());
        });
        const slow = candidate.post(PATHS.embed, { text: "asked by both" });
        await eventually("the candidate has its lease", () =>
            redis.command("KEYS", "embedding:lease:*").includes("embedding:lease:"),
        );
        const begun = performance.now();
        expect((await ask(active, ["asked by both"])).lies).toBe(0);
        expect(performance.now() - begun).toBeLessThan(1_000);
        held.resolve(undefined);
        await slow;
    });

    test("stays on trial when Redis is emptied, for pods that start then, too", async () => {
        redis.command("FLUSHALL");
        await eventually("a pod has given it back", () =>
            redis.command("EXISTS", RECORDS).startsWith("1"),
        );
        await ask(candidate, texts(500));
        await stored(500);
        const late = await pod(ACTIVE, models.honest);
        expect((await ask(late, texts(250))).lies).toBe(0);
        expect((await ask(active, texts(500))).lies).toBe(0);
    });

    test("stays on trial when Redis is killed and comes back empty", async () => {
        await redis.kill();
        expect((await ask(active, texts(100))).lies).toBe(0);
        redis = await redisOn(redis.port);
        await Promise.all([up(active), up(candidate)]);
        await ask(candidate, texts(500));
        await eventually("they are stored", () => entries() >= 400);
        const late = await pod(ACTIVE, models.honest);
        for (const one of [late, active]) expect((await ask(one, texts(500))).lies).toBe(0);
    });

    test("makes entries that are found by nobody else when its last pod is gone and Redis was away", async () => {
        await ask(candidate, texts(500));
        await stored(500);
        await gone(candidate);
        redis.pause();
        await eventually("Redis is down", async () => {
            await ask(active, ["any"]);
            return ((await active.get(PATHS.health)).json as { redis: string }).redis === "down";
        });
        redis.resume();
        await up(active);
        expect((await ask(active, texts(500))).lies).toBe(0);
    });

    test("that is promoted is served by everybody", async () => {
        const honest = await pod(CANDIDATE, models.honest);
        await ask(honest, texts(500));
        await stored(500);
        expect((await ask(active, texts(10))).statuses.MISS).toBe(10);
        expect((await promote(active, candidate)).status).toBe(200);
        await knows(active, "promoted");
        const rest = texts(500).slice(10);
        expect(await ask(active, rest)).toMatchObject({ lies: 0, statuses: { "HIT-L2": 490 } });
    });

    test("and promoted stays so where a pod knew of the trial only, and Redis forgot", async () => {
        const { known } = await writersAt(active);
        await promote(candidate, candidate);
        redis.command("DEL", RECORDS);
        await Promise.all([knows(active, "promoted"), knows(candidate, "promoted")]);
        const [before] = known;
        redis.command(
            "HSET",
            RECORDS,
            before?.writer ?? "",
            JSON.stringify(before),
            "version",
            "x",
        );
        await eventually("the promotion is back", () =>
            redis.command("HVALS", RECORDS).includes('"promoted"'),
        );
        expect((await writersAt(active)).known).toMatchObject([{ state: "promoted" }]);
    });

    test("in a second try serves nothing of the first, and a promotion brings none of it back", async () => {
        await ask(candidate, texts(500));
        await stored(500);
        const mended = await pod(CANDIDATE, models.honest);
        expect((await ask(mended, texts(1))).lies).toBe(1);
        await begin(active, candidate, "two");
        await Promise.all([knows(mended, "trial", "two"), knows(active, "trial", "two")]);
        const second = await ask(mended, texts(250));
        expect(second).toMatchObject({ lies: 0, statuses: { MISS: 250 } });
        await promote(active, candidate, "two");
        await Promise.all([knows(mended, "promoted", "two"), knows(active, "promoted", "two")]);
        for (const one of [active, mended]) expect((await ask(one, texts(500))).lies).toBe(0);
        expect(await refused(mended, "not_promoted")).toBeGreaterThan(0);
    });
});

describe("What a candidate wrote before its trial", () => {
    test("leaves the memory of all pods, and is served no more", async () => {
        await ask(candidate, texts(500));
        await stored(500);
        const poisoned = texts(500).slice(0, 250);
        expect((await ask(active, poisoned)).lies).toBe(250);
        expect((await ask(active, poisoned)).statuses["HIT-L1"]).toBe(250);
        await begin(candidate, candidate);
        await knows(active);
        expect(await ask(active, texts(500))).toMatchObject({ lies: 0, statuses: { MISS: 500 } });
    });

    test("is served no more when Redis comes back with a snapshot from then", async () => {
        await ask(candidate, texts(500));
        await stored(500);
        redis.command("SAVE");
        await begin(candidate, candidate);
        await knows(active);
        await redis.kill();
        redis = await redisOn(redis.port);
        expect(redis.command("EXISTS", RECORDS)).toBe("0\n");
        await up(active);
        expect(entries()).toBe(500);
        expect(await ask(active, texts(250))).toMatchObject({ lies: 0 });
        await eventually("a pod has given it back", () =>
            redis.command("EXISTS", RECORDS).startsWith("1"),
        );
        const late = await pod(ACTIVE, models.honest);
        expect((await ask(late, texts(500))).lies).toBe(0);
    });
});

describe("A build that was promoted, and is the candidate again", () => {
    test("keeps its older entries with everybody, and has its new ones for itself", async () => {
        await gone(candidate);
        const old = await pod(CANDIDATE, models.honest);
        await promote(active, old, "zero");
        await ask(old, texts(100, "old"));
        await stored(100);
        await gone(old);
        const again = await pod(CANDIDATE, models.lying);
        await begin(active, again);
        await knows(again);
        await ask(again, texts(100, "new"));
        await stored(200);
        expect(await ask(active, texts(100, "old"))).toMatchObject({
            lies: 0,
            statuses: { "HIT-L2": 100 },
        });
        expect(await ask(active, texts(100, "new"))).toMatchObject({
            lies: 0,
            statuses: { MISS: 100 },
        });
    });
});

describe("A candidate whose clock is behind that of the pod which took the order", () => {
    test("has nothing that counts as made before its trial", async () => {
        await promote(active, candidate, "zero");
        await knows(candidate, "promoted", "zero");
        const [trusted] = (await writersAt(candidate)).known;
        const hour = Date.now() + 3_600_000;
        const record = {
            ...JUDGEMENT,
            writer: trusted?.writer,
            state: "trial",
            release: "one",
            at: hour,
            since: hour,
            failed: [],
            until: hour + 3_600_000_000,
        };
        const stored = [record.writer ?? "", JSON.stringify(record), "version", "ahead"];
        redis.command("HSET", RECORDS, ...stored);
        await Promise.all([knows(candidate), knows(active)]);
        await ask(candidate, texts(100));
        await eventually("they are stored", () => entries() === 100);
        expect(await ask(active, texts(100))).toMatchObject({ lies: 0, statuses: { MISS: 100 } });
        expect((await promote(active, candidate)).status).toBe(200);
    });
});

describe("A pod that cannot read who is on trial", () => {
    test("serves its own build's entries alone, from its start on, until it can", async () => {
        await ask(active, texts(100, "own"));
        await ask(candidate, texts(150, "other"));
        await stored(250);
        // Not a hash: whoever reads it gets an error, and all else works.
        redis.command("SET", RECORDS, "x");
        const late = await startBuild(ACTIVE, models.honest, { REDIS_URL: redis.url.href });
        stops.push(late.stop);
        expect((await writersAt(late)).current).toBe(false);
        await eventually("the other one has noticed", async () => {
            return !(await writersAt(active)).current;
        });
        const part = (from: number) => texts(150, "other").slice(from, from + 50);
        for (const [index, one] of [late, active].entries()) {
            expect((await ask(one, part(50 * index))).lies).toBe(0);
            expect(await refused(one, "state_unknown")).toBe(50);
        }
        expect((await ask(late, texts(100, "own"))).statuses["HIT-L2"]).toBe(100);
        redis.command("DEL", RECORDS);
        await Promise.all([up(late), up(active)]);
        expect((await ask(active, part(100))).statuses["HIT-L2"]).toBe(50);
    });
});

describe("In a Redis Cluster", () => {
    test("a trial holds for entries on all nodes, and a promotion ends it", async () => {
        const cluster = await startCluster();
        stops.push(cluster.stop);
        const environment = { REDIS_MODE: "cluster", REDIS_URL: cluster.urls.join(",") };
        const here = await pod(ACTIVE, models.honest, environment);
        const trying = await pod(CANDIDATE, models.lying, environment);
        expect((await begin(here, trying)).status).toBe(200);
        await knows(trying);
        await ask(trying, texts(500));
        const count = () => cluster.primaries.reduce((sum, node) => sum + entries(node), 0);
        await eventually("they are stored", () => count() === 500);
        expect(await ask(here, texts(400))).toMatchObject({ lies: 0, statuses: { MISS: 400 } });
        expect((await promote(here, trying)).status).toBe(200);
        const rest = texts(500).slice(400);
        expect((await ask(here, rest)).statuses["HIT-L2"]).toBe(100);
    });
});
