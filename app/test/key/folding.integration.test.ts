import { expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { adminOf, ADMIN_TOKEN } from "../support/admin.ts";
import { startService, stubEnvironment } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";
import { trueVector } from "../support/vectors.ts";

const upstream = setUpUpstream();
const redis = setUpRedis();

test("texts that fold to one share its vector, in any order, and pods without folding are correct", async () => {
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

test("the admin port addresses the entry that clients get, with any folding", async () => {
    const pod = await startService({
        ...stubEnvironment(upstream.url),
        TEXT_FOLDING: "case,punctuation",
        ADMIN_TOKEN,
    });
    const admin = adminOf(pod);
    const cacheOf = async (text: string) =>
        (await pod.post(PATHS.embed, { text })).headers.get("x-cache");
    try {
        await cacheOf("Three Rooms!");
        expect(await cacheOf("Three Rooms!")).toBe("HIT-L1");
        const { json } = await admin("POST", "/entries/inspect", { input: "Three Rooms!" });
        expect(json).toMatchObject({ local: { state: "fresh" } });
        const { key } = json as { key: string };
        await admin("POST", `/entries/${key}/flag`, { reason: "wrong", actor: "ann" });
        expect(await cacheOf("Three Rooms!")).toBe("MISS");
    } finally {
        await pod.stop();
    }
});
