import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { METRICS, PATHS } from "@property-search/contract";

import { setUp } from "../../../tests/support/setUp.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster } from "../support/redisCluster.ts";
import { countEntries, startRedis, type RedisServer } from "../support/redisServer.ts";
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
    buildsAt,
} from "../support/release.ts";
import type { Service } from "../support/service.ts";
import { stateOf } from "../support/stage.ts";
import type { StubUpstream } from "../support/stubUpstream.ts";

const MANY = 3_072;
const RECORDS = "embedding:{quarantines}";

let folder: string;
let redis: RedisServer;
let active: Service;
let candidate: Service;

const models = setUp(startModels, (one) => one.stop());

let stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quarantines-"));
    stops.push(() => rm(folder, { recursive: true }));
    redis = await redisOn();
    active = await pod(ACTIVE, models.honest);
    candidate = await pod(CANDIDATE, models.lying);
});

afterEach(async () => {
    for (const stop of stops.toReversed()) await stop();
    stops = [];
});

async function redisOn(port?: number): Promise<RedisServer> {
    const server = await startRedis(port, ["--dir", folder, "--dbfilename", "quarantines.rdb"]);
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
    eventually(
        "Redis is up",
        async () => (await stateOf(service)) === "up" && (await buildsAt(service)).upToDate,
    );

/** Ends like a rollback: without a request about its entries. */
async function stopService(service: Service): Promise<void> {
    stops = stops.filter((stop) => stop !== service.stop);
    await service.stop();
}

const entries = (server = redis): number => countEntries(server);

const stored = (count: number): Promise<void> =>
    eventually(`${count} entries are stored`, () => entries() === count);

const knows = (service: Service, state = "quarantined", release = "one"): Promise<void> =>
    eventually(`a pod knows of ${state} in ${release}`, async () => {
        const [latest] = (await buildsAt(service)).records;
        return latest?.state === state && latest.release === release;
    });

const countSkipped = (service: Service, reason: string): Promise<number> =>
    service.metric(`${METRICS.quarantineSkipped}{reason="${reason}"}`);

describe("Without a quarantine", () => {
    test("a candidate with a wrong model poisons the others: the fault that these tests detect exists", async () => {
        await ask(candidate, texts(10));
        await stored(10);
        expect(await ask(active, texts(10))).toMatchObject({
            lies: 10,
            statuses: { "HIT-L2": 10 },
        });
    });
});

describe("A quarantined candidate with a wrong model", () => {
    beforeEach(async () => {
        expect((await begin(candidate, candidate)).status).toBe(200);
        await knows(active);
    });

    test("writes thousands of entries, none of which the active colour serves, in quarantine or afterwards", async () => {
        await ask(candidate, texts(MANY));
        await stored(MANY);
        const half = texts(MANY).slice(0, MANY / 2);
        const during = await ask(active, half);
        expect(during).toMatchObject({ lies: 0, statuses: { MISS: half.length } });
        expect(await countSkipped(active, "quarantined")).toBe(half.length);
        await stopService(candidate);
        // It starts warm, including the keys that were hot in the candidate.
        const late = await pod(ACTIVE, models.honest);
        expect((await buildsAt(late)).records).toMatchObject([{ state: "quarantined" }]);
        for (const one of [active, late]) expect((await ask(one, texts(MANY))).lies).toBe(0);
        await stored(MANY);
        const last = await ask(await pod(ACTIVE, models.honest), texts(MANY));
        expect(last.lies).toBe(0);
        // Its entries were overwritten.
        expect(last.statuses["HIT-L1"] + last.statuses["HIT-L2"]).toBe(MANY);
    });

    test("is served the entries of the active colour, so that it is equally warm", async () => {
        await ask(active, texts(100));
        await stored(100);
        expect(await ask(candidate, texts(100))).toMatchObject({
            lies: 0,
            statuses: { "HIT-L2": 100 },
        });
        for (let n = 0; n < 5; n += 1) await ask(active, texts(100));
        await stopService(active);
        const late = await pod(CANDIDATE, models.lying);
        expect((await ask(late, texts(100))).statuses["HIT-L1"]).toBeGreaterThan(0);
    });

    test("serves its own entries, including those of its other pods", async () => {
        await ask(candidate, texts(100));
        await stored(100);
        const sibling = await pod(CANDIDATE, models.lying);
        expect((await ask(sibling, texts(100))).statuses.MISS).toBe(0);
    });

    test("is not waited for when both fetch the same text", async () => {
        const blocked = Promise.withResolvers<undefined>();
        models.lying.misbehave((_, response) => {
            void blocked.promise.then(() => response.destroy());
        });
        const slow = candidate.post(PATHS.embed, { text: "asked by both" });
        await eventually("the candidate has its lease", () =>
            redis.command("KEYS", "embedding:lease:*").includes("embedding:lease:"),
        );
        const begun = performance.now();
        expect((await ask(active, ["asked by both"])).lies).toBe(0);
        // A wait for the other pod's lease takes ten seconds.
        expect(performance.now() - begun).toBeLessThan(9_000);
        blocked.resolve(undefined);
        await slow;
    });

    test("stays quarantined when Redis is emptied, also for pods that start then", async () => {
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

    test("stays quarantined when Redis is killed and comes back empty", async () => {
        await redis.kill();
        expect((await ask(active, texts(100))).lies).toBe(0);
        redis = await redisOn(redis.port);
        await Promise.all([up(active), up(candidate)]);
        await ask(candidate, texts(500));
        await eventually("they are stored", () => entries() >= 400);
        const late = await pod(ACTIVE, models.honest);
        for (const one of [late, active]) expect((await ask(one, texts(500))).lies).toBe(0);
    });

    test("writes entries that no other build serves when its last pod has ended and Redis was unavailable", async () => {
        await ask(candidate, texts(500));
        await stored(500);
        await stopService(candidate);
        redis.pause();
        await eventually("Redis is down", async () => {
            await ask(active, ["any"]);
            return (await stateOf(active)) === "down";
        });
        redis.resume();
        await up(active);
        expect((await ask(active, texts(500))).lies).toBe(0);
    });

    test("that is promoted is served by all builds", async () => {
        const honest = await pod(CANDIDATE, models.honest);
        await ask(honest, texts(500));
        await stored(500);
        expect((await ask(active, texts(10))).statuses.MISS).toBe(10);
        expect((await promote(active, candidate)).status).toBe(200);
        await knows(active, "promoted");
        const rest = texts(500).slice(10);
        expect(await ask(active, rest)).toMatchObject({ lies: 0, statuses: { "HIT-L2": 490 } });
    });

    test("and promoted stays so if only one pod knew the quarantine, and Redis lost it", async () => {
        const { records } = await buildsAt(active);
        await promote(candidate, candidate);
        redis.command("DEL", RECORDS);
        await Promise.all([knows(active, "promoted"), knows(candidate, "promoted")]);
        const [before] = records;
        redis.command(
            "HSET",
            RECORDS,
            before?.buildId ?? "",
            JSON.stringify(before),
            "version",
            "x",
        );
        await eventually("the promotion is back", () =>
            redis.command("HVALS", RECORDS).includes('"promoted"'),
        );
        expect((await buildsAt(active)).records).toMatchObject([{ state: "promoted" }]);
    });

    test("in a second attempt serves nothing of the first, and a promotion restores none of it", async () => {
        await ask(candidate, texts(500));
        await stored(500);
        const mended = await pod(CANDIDATE, models.honest);
        expect((await ask(mended, texts(1))).lies).toBe(1);
        await begin(active, candidate, "two");
        await Promise.all([
            knows(mended, "quarantined", "two"),
            knows(active, "quarantined", "two"),
        ]);
        const second = await ask(mended, texts(250));
        expect(second).toMatchObject({ lies: 0, statuses: { MISS: 250 } });
        await promote(active, candidate, "two");
        await Promise.all([knows(mended, "promoted", "two"), knows(active, "promoted", "two")]);
        for (const one of [active, mended]) expect((await ask(one, texts(500))).lies).toBe(0);
        expect(await countSkipped(mended, "not_promoted")).toBeGreaterThan(0);
    });
});

describe("Entries of a candidate from before its quarantine", () => {
    test("leave the memory of all pods, and are not served any more", async () => {
        await ask(candidate, texts(500));
        await stored(500);
        const poisoned = texts(500).slice(0, 250);
        expect((await ask(active, poisoned)).lies).toBe(250);
        expect((await ask(active, poisoned)).statuses["HIT-L1"]).toBe(250);
        await begin(candidate, candidate);
        await knows(active);
        expect(await ask(active, texts(500))).toMatchObject({ lies: 0, statuses: { MISS: 500 } });
    });

    test("are not served when Redis comes back with a snapshot from then", async () => {
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

describe("A promoted build that is the candidate again", () => {
    test("keeps its older entries for all builds, and its new ones for itself", async () => {
        await stopService(candidate);
        const old = await pod(CANDIDATE, models.honest);
        await promote(active, old, "zero");
        await ask(old, texts(100, "old"));
        await stored(100);
        await stopService(old);
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

describe("A candidate whose clock is behind that of the pod that received the request", () => {
    test("has no entry that counts as created before its quarantine", async () => {
        await promote(active, candidate, "zero");
        await knows(candidate, "promoted", "zero");
        const [trusted] = (await buildsAt(candidate)).records;
        const hour = Date.now() + 3_600_000;
        const record = {
            ...JUDGEMENT,
            buildId: trusted?.buildId,
            state: "quarantined",
            release: "one",
            changedAt: hour,
            since: hour,
            rejected: [],
            expiresAt: hour + 3_600_000_000,
        };
        const stored = [record.buildId ?? "", JSON.stringify(record), "version", "ahead"];
        redis.command("HSET", RECORDS, ...stored);
        await Promise.all([knows(candidate), knows(active)]);
        await ask(candidate, texts(100));
        await eventually("they are stored", () => entries() === 100);
        expect(await ask(active, texts(100))).toMatchObject({ lies: 0, statuses: { MISS: 100 } });
        expect((await promote(active, candidate)).status).toBe(200);
    });
});

describe("A pod that cannot read the quarantine records", () => {
    test("serves only its own build's entries, from its start on, until it can", async () => {
        await ask(active, texts(100, "own"));
        await ask(candidate, texts(150, "other"));
        await stored(250);
        // Not a hash: reading it is an error, and everything else works.
        redis.command("SET", RECORDS, "x");
        const late = await startBuild(ACTIVE, models.honest, { REDIS_URL: redis.url.href });
        stops.push(late.stop);
        expect((await buildsAt(late)).upToDate).toBe(false);
        await eventually("the other one has noticed", async () => {
            return !(await buildsAt(active)).upToDate;
        });
        const part = (from: number) => texts(150, "other").slice(from, from + 50);
        for (const [index, one] of [late, active].entries()) {
            expect((await ask(one, part(50 * index))).lies).toBe(0);
            expect(await countSkipped(one, "state_unknown")).toBe(50);
        }
        expect((await ask(late, texts(100, "own"))).statuses["HIT-L2"]).toBe(100);
        redis.command("DEL", RECORDS);
        await Promise.all([up(late), up(active)]);
        expect((await ask(active, part(100))).statuses["HIT-L2"]).toBe(50);
    });
});

describe("In a Redis Cluster", () => {
    test("a quarantine applies to entries on all nodes, and a promotion ends it", async () => {
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
