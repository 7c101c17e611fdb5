import { afterEach, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { entriesIn, startRedis, type RedisServer } from "../support/redisServer.ts";
import type { Service } from "../support/service.ts";
import { setUpStage } from "../support/setUp.ts";
import { allAre, unharmed } from "../support/stage.ts";

const HOUR = 3_600_000;
const TTL_SECONDS = 60;
const { now } = Date;
const { timeOrigin } = performance;

afterEach(() => {
    Date.now = now;
    startedAt(timeOrigin);
});

const stage = setUpStage();

/** As if the system clock had shown this time at process start: see `wallClock`. */
function startedAt(value: number): void {
    Object.defineProperty(performance, "timeOrigin", { value, configurable: true });
}

async function redisOn(port?: number): Promise<RedisServer> {
    const redis = await startRedis(port);
    stage.ends(redis.kill);
    return redis;
}

function podOn(redis: RedisServer): Promise<Service> {
    return stage.pod({
        REDIS_URL: redis.url.href,
        CACHE_TTL: `${TTL_SECONDS}`,
        STALE_IF_ERROR_SECONDS: "0",
    });
}

describe.each([
    ["back", -HOUR],
    ["forward", HOUR],
])("a clock that goes %s by an hour", (_, step) => {
    test("under traffic: no request fails, and a Redis that returns is found immediately", async () => {
        const redis = await redisOn();
        const pods = [await podOn(redis), await podOn(redis)];
        const clients = stage.clients(...pods);
        await clients.more("HIT-L2", 50);
        Date.now = () => now() + step;
        await clients.more("HIT-L2", 50);
        await redis.kill();
        await allAre(pods, "down");
        Date.now = () => now() + 2 * step;
        await redisOn(redis.port);
        await allAre(pods, "up");
        await clients.more("HIT-L2", 50);
        await unharmed(clients);
    });

    test("in one pod: its entries are correct for the others, and expire on time", async () => {
        const redis = await redisOn();
        const [wrong, right] = [await podOn(redis), await podOn(redis)];
        await allAre([wrong, right], "up");
        const ask = async (pod: Service): Promise<string | null> => {
            const answer = await pod.post(PATHS.embed, { text: "skewed" });
            expect(answer.status).toBe(200);
            return answer.headers.get("x-cache");
        };
        startedAt(timeOrigin + step);
        expect(await ask(wrong)).toBe("MISS");
        await stage.clients(wrong).more("HIT-L2", 20);
        startedAt(timeOrigin);
        // From a clock that is behind it looks old and is created again; it is never an error.
        expect(await ask(right)).toBe(step > 0 ? "HIT-L2" : "MISS");
        const keys = entriesIn(redis);
        expect(keys.length).toBeGreaterThan(10);
        for (const key of keys) {
            const remainingMilliseconds = Number(redis.command("PTTL", key));
            expect(remainingMilliseconds).toBeGreaterThan(0);
            expect(remainingMilliseconds).toBeLessThanOrEqual(TTL_SECONDS * 1_000);
        }
    });
});
