import { afterAll, describe, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { parseLoopbackUrl } from "../../load/target.ts";
import { createArrivals, createUsers } from "../../load/traffic/sessions.ts";
import { SERVICES } from "../../load/traffic/requests.ts";
import { createCorpus, createSource } from "../../load/traffic/texts.ts";
import { readTrace } from "../../load/traffic/trace.ts";
import { seededRandom } from "../../shared/random.ts";

const corpus = createCorpus(1, { listings: 200, queries: 84, questions: 4000 });

function users(seed: number, thinkSeconds = 5) {
    const texts = createSource(corpus, { random: seededRandom(seed), run: "r" });
    return [
        ...createUsers({
            ...{ seed, users: 300, seconds: 60, thinkSeconds, services: SERVICES, run: "r" },
            ...{ texts, properties: ["p1", "p2"] },
        }),
    ];
}

describe("texts of a property search", () => {
    test("are distinct in each list, and the same for the same seed", () => {
        for (const texts of [corpus.listings, corpus.queries, corpus.questions])
            expect(new Set(texts).size).toBe(texts.length);
        expect(createCorpus(1, { listings: 200, queries: 84, questions: 4000 })).toEqual(corpus);
        expect(createCorpus(2, { listings: 200, queries: 84, questions: 4000 })).not.toEqual(
            corpus,
        );
    });

    test("are drawn by Zipf's law, with the given share of new ones", () => {
        const source = createSource(corpus, { random: seededRandom(3), run: "r", newShare: 0.1 });
        const drawn = Array.from({ length: 20_000 }, source.listing);
        const known = new Set(corpus.listings);
        const isNew = drawn.filter((text) => !known.has(text));
        expect(isNew.length / drawn.length).toBeCloseTo(0.1, 1);
        expect(new Set(isNew).size).toBe(isNew.length);
        // Rank 0 has 1 / H(200) = 17 % of the draws, rank 1 half of it.
        const share = (rank: number) =>
            drawn.filter((text) => text === corpus.listings[rank]).length / 18_000;
        expect(share(0)).toBeCloseTo(0.17, 1);
        expect(share(0) / share(1)).toBeCloseTo(2, 0);
    });
});

describe("users", () => {
    test("are the same for the same seed", () => {
        expect(users(1)).toEqual(users(1));
        expect(users(1)).not.toEqual(users(2));
    });

    test("are all there from the first pause to the end, each with one request after another", () => {
        const byUser = Map.groupBy(users(1), ({ user }) => user);
        expect(byUser.size).toBe(300);
        for (const own of byUser.values()) {
            const times = own.map(({ at = NaN }) => at);
            expect(times).toEqual(times.toSorted((a, b) => a - b));
            expect(times[0]).toBeLessThan(5000);
            expect(times.at(-1)).toBeGreaterThan(60_000 - 4 * 5000);
        }
    });

    test("use all services, at the rate of their pauses", () => {
        const all = users(1);
        const routes = new Set(all.map(({ route }) => route));
        expect([...routes].sort()).toEqual(["chat", "embed", "pois", "properties"]);
        // Pauses of 5 s that end at 20 s: 4.9 s on average.
        expect(all.length / 300 / 60).toBeCloseTo(1 / 4.9, 1);
    });
});

test("arrivals are a Poisson process: as many as the rate says, and gaps that scatter as much as they last", () => {
    const random = seededRandom(5);
    const stages = [
        { seconds: 100, rate: 50 },
        { seconds: 100, rate: 10 },
    ];
    const all = [...createArrivals(random, stages, 10, () => ({ route: "a", path: "/a" }))];
    const times = all.map(({ at = NaN }) => at);
    const first = times.filter((at) => at < 100_000);
    expect(Math.abs(first.length - 5000)).toBeLessThan(4 * Math.sqrt(5000));
    expect(Math.abs(times.length - first.length - 1000)).toBeLessThan(4 * Math.sqrt(1000));
    const gaps = first.slice(1).map((at, index) => at - (first[index] ?? NaN));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
});

describe("a recorded trace", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "trace-"));
    const file = path.join(folder, "trace.ndjson");
    const read = (text: string) => {
        writeFileSync(file, text);
        return readTrace(file);
    };
    afterAll(() => rmSync(folder, { recursive: true }));

    test("needs times and paths only", async () => {
        expect(
            await read('{"at":0,"path":"/embed"}\n\n{"at":5.5,"path":"/health","method":"GET"}\n'),
        ).toEqual([
            { at: 0, path: "/embed", user: 0, route: "/embed" },
            { at: 5.5, path: "/health", user: 1, route: "/health", method: "GET" },
        ]);
    });

    test.each([
        ['{"at":-1,"path":"/"}', "line 1: at is -1; allowed: milliseconds"],
        ['{"at":1,"path":"embed"}', 'line 1: path is "embed"; allowed: /…'],
        ['{"at":1,"path":"/","user":1.5}', "line 1: user is 1.5; allowed: an integer"],
        ['{"at":1,"path":"/","body":{}}', "line 1: body is {}; allowed: a string"],
        ['{"at":1,"path":"/"}\nnothing', "line 2 is not JSON"],
        ["null", "line 1 is not a JSON object"],
        ["[]", "line 1 is not a JSON object"],
        ['{"at":1,"path":"/","route":5}', "line 1: route is 5; allowed: a name"],
        ['{"at":1,"path":"/","route":""}', 'line 1: route is ""; allowed: a name'],
        ['{"at":1,"path":"/","method":["GET"]}', 'line 1: method is ["GET"]; allowed: GET, POST'],
        ["\n", "which has no requests"],
    ])("%j is rejected with its line", async (text, message) => {
        await expect(read(text)).rejects.toThrow(message);
    });

    test("that does not exist is an error", async () => {
        await expect(readTrace("/nowhere")).rejects.toThrow(/TRACE is "\/nowhere".*cannot be read/);
    });
});

describe("the target", () => {
    test.each([
        ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
        ["http://localhost:3000/", "http://localhost:3000"],
        ["http://[::1]", "http://[::1]:80"],
    ])("%s is allowed", (given, url) => {
        expect(parseLoopbackUrl(given)).toBe(url);
    });

    test.each([
        "http://example.com",
        "https://127.0.0.1",
        "http://10.0.0.1:80",
        "8080",
        "http://127.0.0.1/embed",
    ])("%s is rejected", (given) => {
        expect(() => parseLoopbackUrl(given)).toThrow(
            /URL is ".*"; allowed: http:\/\/127\.0\.0\.1:port/,
        );
    });
});
