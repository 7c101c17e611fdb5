import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { startRedis, type RedisServer } from "./support/redisServer.ts";
import { startService, stubEnvironment } from "./support/service.ts";
import { startStubUpstream, type StubUpstream } from "./support/stubUpstream.ts";
import { trueVector } from "./support/vectors.ts";

let upstream: StubUpstream;
let redis: RedisServer;

beforeAll(async () => {
    [upstream, redis] = await Promise.all([startStubUpstream(), startRedis()]);
});
afterAll(() => Promise.all([upstream.stop(), redis.kill()]));

test("texts that fold to one share its vector, whoever asks first, and pods that fold nothing are right", async () => {
    const environment = stubEnvironment(upstream.url, redis.url);
    const folding = await startService({ ...environment, TEXT_FOLDING: "case,punctuation" });
    const plain = await startService(environment);
    const ask = async (at: typeof plain, ...texts: string[]) => {
        const { json } = await at.post(PATHS.embed, { texts });
        return (json as { embeddings: number[][] }).embeddings.map((one) => one.map(Math.fround));
    };
    const vectorOf = (text: string) => [...trueVector(text)];
    try {
        const folded = vectorOf("two rooms");
        expect(await ask(folding, "Two rooms?", "TWO ROOMS", "two rooms")).toEqual([
            folded,
            folded,
            folded,
        ]);
        expect(upstream.requests.flatMap(({ input }) => input)).toEqual(["two rooms"]);
        expect(await ask(plain, "Two rooms?", "two rooms")).toEqual([
            vectorOf("Two rooms?"),
            folded,
        ]);
    } finally {
        await Promise.all([folding.stop(), plain.stop()]);
    }
});
