import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { HEADERS, METRICS, PATHS } from "@property-search/contract";

import { adminOf, ADMIN_TOKEN } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { modelDirectory } from "../support/model.ts";
import { MODEL, read, startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";
import { fromBase64 } from "../support/vectors.ts";
import { DIMENSIONS, TEXTS, vectorOf } from "../support/wordings.ts";

/** Beside other tests, the model takes longer than the limit of a test. */
const START_SECONDS = 240;
const MODES = ["semantic", "exact"] as const;

// Before those that they use.
afterAll(() => Promise.all(pods.map((pod) => pod.stop())));

const upstream = setUpUpstream({ dimensions: DIMENSIONS, vectorOf });
const redis = setUpRedis();
let pods: Service[] = [];
/** Texts whose answers were audited. */
const audited: string[] = [];

async function start(): Promise<Service> {
    const pod = await startService(
        {
            ...stubEnvironment(upstream.url, redis.url),
            MODEL_DIR: modelDirectory(),
            ADMIN_TOKEN,
            SEMANTIC_MODE: "optIn",
            SEMANTIC_ERROR_BUDGET: "0.05",
        },
        // Beside other tests, a lookup may take longer than 50 ms.
        { timing: { lookupMilliseconds: 10_000 } },
    );
    pods.push(pod);
    return pod;
}

async function post(pod: Service, text: string, mode: string) {
    const answer = await read(
        await fetch(pod.url + PATHS.embeddings, {
            method: "POST",
            headers: { [HEADERS.cacheMode]: mode },
            body: JSON.stringify({ model: MODEL, input: text, encoding_format: "base64" }),
        }),
    );
    const { data } = answer.json as { data: { embedding: string }[] };
    return {
        source: answer.headers.get(HEADERS.cache),
        vector: fromBase64(data[0]?.embedding ?? ""),
    };
}

const auditsOf = (pod: Service) => pod.metric(`${METRICS.semanticLookups}{outcome="audited"}`);

async function untilAbsent(pod: Service, key: string): Promise<void> {
    await eventually("the pod has no entry", async () => {
        const { json } = await adminOf(pod)("GET", `/entries/${key}`);
        return (json as { local: { state: string } }).local.state === "absent";
    });
}

async function expectOwnVector(pod: Service, text: string): Promise<void> {
    for (const mode of MODES) {
        const { source, vector } = await post(pod, text, mode);
        expect(["HIT-L1", "HIT-L2"]).toContain(source);
        expect(vector).toEqual(vectorOf(text));
    }
}

beforeAll(async () => {
    const pod = await start();
    await eventually(
        "the model is loaded",
        async () => (await pod.metric(METRICS.semanticUp)) === 1,
        START_SECONDS,
    );
    // The dimensions of the upstream are known from the first response on.
    await post(pod, "the first text", "exact");
    for (const text of TEXTS) {
        const before = await auditsOf(pod);
        const { source } = await post(pod, text, "semantic");
        if ((await auditsOf(pod)) === before) continue;
        expect(source).toBe("MISS");
        audited.push(text);
        if (audited.length === 3) break;
    }
}, START_SECONDS * 2_000);

describe("a text whose answer was audited", () => {
    test("is an exact hit of its own vector from then on, in both modes, on every pod", async () => {
        expect(audited).toHaveLength(3);
        const calls = upstream.requests.length;
        const [first] = pods;
        for (const pod of [first ?? (await start()), await start()])
            for (const text of audited) await expectOwnVector(pod, text);
        expect(upstream.requests).toHaveLength(calls);
    });

    test("costs neither a lookup nor another audit", async () => {
        const [pod = await start()] = pods;
        const lookups = async (): Promise<number> => {
            const { text } = await pod.get(PATHS.metrics);
            const series = text.matchAll(
                new RegExp(`^${METRICS.semanticLookups}\\{.* (\\d+)$`, "gm"),
            );
            return [...series].reduce((sum, [, count]) => sum + Number(count), 0);
        };
        const before = await lookups();
        for (let times = 0; times < 50; times += 1)
            for (const text of audited) await post(pod, text, "semantic");
        expect(await lookups()).toBe(before);
    });

    test("stays an exact hit when all pods restart", async () => {
        const calls = upstream.requests.length;
        await Promise.all(pods.map((pod) => pod.stop()));
        pods = [];
        const pod = await start();
        for (const text of audited) await expectOwnVector(pod, text);
        expect(upstream.requests).toHaveLength(calls);
    });

    test.each([
        ["deletion", "DELETE", "", undefined],
        ["flag", "POST", "/flag", { reason: "wrong answer", actor: "ann" }],
    ])("is none after a %s of its entry, on every pod", async (name, method, path, body) => {
        const text = audited[name === "flag" ? 0 : 1] ?? "";
        const all = [...pods, await start()];
        const [pod = await start(), other = await start()] = all;
        for (const one of [pod, other]) await expectOwnVector(one, text);
        const inspected = await adminOf(pod)("POST", "/entries/inspect", { input: text });
        const { key } = inspected.json as { key: string };
        const answer = await adminOf(pod)(method, `/entries/${key}${path}`, body);
        expect(answer.status).toBe(200);
        await untilAbsent(other, key);
        for (const one of [pod, other]) {
            const calls = upstream.requests.length;
            const { source } = await post(one, text, "semantic");
            expect(["MISS", "SEMANTIC"]).toContain(source);
            expect(source === "MISS").toBe(upstream.requests.length > calls);
            // What was paid for is removed again, so that the other pod finds none, either.
            await adminOf(pod)("DELETE", `/entries/${key}`);
            await untilAbsent(other, key);
        }
    });
});
