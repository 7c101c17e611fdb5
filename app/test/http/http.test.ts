import { describe, expect, test } from "@jest/globals";
import { HEADERS, METRICS, PATHS } from "@property-search/contract";

import { expectRefusal } from "../support/admin.ts";
import { MODEL, stubEnvironment } from "../support/service.ts";
import { setUpService, setUpUpstream } from "../support/setUp.ts";
import { REFUSED } from "../support/stubUpstream.ts";
import { DIMENSIONS, fromBase64, trueVector } from "../support/vectors.ts";

interface OpenaiAnswer {
    readonly object: string;
    readonly model: string;
    readonly data: { readonly index: number; readonly embedding: string | number[] }[];
    readonly usage: {
        readonly prompt_tokens: number;
        readonly total_tokens: number;
        readonly prompt_tokens_details: { readonly cached_tokens: number };
    };
}

const upstream = setUpUpstream();
const service = setUpService(() => stubEnvironment(upstream.url));

const float32 = (embedding: string | number[] | undefined): Float32Array =>
    Float32Array.from(embedding as number[]);

const embeddings = async (body: object): Promise<OpenaiAnswer> =>
    (await service.post(PATHS.embeddings, { model: MODEL, ...body })).json as OpenaiAnswer;

describe("POST /embed", () => {
    test("one text is a miss, then a hit with the same vector", async () => {
        const first = await service.post(PATHS.embed, { text: "two rooms near the station" });
        const second = await service.post(PATHS.embed, { text: "  two rooms\nnear the station" });
        expect(first.headers.get(HEADERS.cache)).toBe("MISS");
        expect(second.headers.get(HEADERS.cache)).toBe("HIT-L1");
        const { embedding, ...rest } = first.json as { embedding: number[] };
        expect(Float32Array.from(embedding)).toEqual(trueVector("two rooms near the station"));
        expect(rest).toEqual({
            model: MODEL,
            dimensions: DIMENSIONS,
            cache: "MISS",
            truncated: false,
            usage: {
                prompt_tokens: 5,
                total_tokens: 5,
                prompt_tokens_details: { cached_tokens: 0 },
            },
        });
        expect(second.json).toMatchObject({
            embedding: (first.json as { embedding: number[] }).embedding,
            cache: "HIT-L1",
            usage: { prompt_tokens: 5, prompt_tokens_details: { cached_tokens: 5 } },
        });
    });

    test("several texts are returned in order, each with its own status", async () => {
        await service.post(PATHS.embed, { text: "known" });
        const answer = await service.post(PATHS.embed, { texts: ["new", "known", "new"] });
        expect(answer.headers.get(HEADERS.cache)).toBe("HIT-L1, COALESCED, MISS");
        const { embeddings: vectors } = answer.json as { embeddings: number[][] };
        expect(vectors.map((vector) => float32(vector))).toEqual(
            ["new", "known", "new"].map((text) => trueVector(text)),
        );
        expect(answer.json).toMatchObject({
            cache: ["MISS", "HIT-L1", "COALESCED"],
            truncated: [false, false, false],
        });
    });

    test.each([
        ["neither text nor texts", {}],
        ["both", { text: "a", texts: ["a"] }],
        ["a number for a text", { text: 7 }],
        ["null", { text: null }],
        ["a blank text", { text: " \n " }],
        ["no texts", { texts: [] }],
        ["a blank among the texts", { texts: ["a", ""] }],
        ["2,049 texts", { texts: Array<string>(2049).fill("a") }],
        ["an unknown field", { text: "a", textt: "b" }],
        ["a list", ["a"]],
        ["no JSON", "{"],
        ["nothing", ""],
    ])("%s is a 400 in OpenAI's error shape", async (_, body) => {
        const answer = await service.post(PATHS.embed, body);
        expect(answer.status).toBe(400);
        expect(answer.headers.get("content-type")).toBe("application/json");
        const { error } = answer.json as { error: Record<string, unknown> };
        expect(Object.keys(error)).toEqual(["message", "type", "param", "code"]);
        expect(error.type).toBe("invalid_request_error");
    });
});

describe("POST /v1/embeddings", () => {
    test("float and base64 are bit-identical, in any order", async () => {
        const input = ["bits one", "bits two"];
        const base64 = await embeddings({ input, encoding_format: "base64" });
        const float = await embeddings({ input, encoding_format: "float" });
        for (const [index, text] of input.entries()) {
            const exact = trueVector(text);
            expect(fromBase64(base64.data[index]?.embedding as string)).toEqual(exact);
            expect(float32(float.data[index]?.embedding)).toEqual(exact);
        }
    });

    test.each(["float", "base64"])(
        "a single %s hit equals the response of the miss",
        async (format) => {
            const body = { input: `single ${format}`, encoding_format: format };
            const miss = await embeddings(body);
            const hit = await embeddings(body);
            expect(hit.data).toEqual(miss.data);
            expect(hit.object).toBe("list");
            expect(hit.model).toBe(MODEL);
            expect(miss.usage.prompt_tokens_details.cached_tokens).toBe(0);
            expect(hit.usage).toEqual({
                prompt_tokens: 2,
                total_tokens: 2,
                prompt_tokens_details: { cached_tokens: 2 },
            });
        },
    );

    test("token IDs are a different input than the text that spells them", async () => {
        const tokens = await embeddings({ input: [[1, 2, 3], [4]] });
        expect(tokens.data.map(({ embedding }) => float32(embedding))).toEqual(
            ["tokens 1 2 3", "tokens 4"].map((text) => trueVector(text)),
        );
        const text = await embeddings({ input: "1,2,3" });
        expect(float32(text.data[0]?.embedding)).toEqual(trueVector("1,2,3"));
    });

    test("other dimensions are another entry; the native ones are the same", async () => {
        const native = await embeddings({ input: "length" });
        const short = await embeddings({ input: "length", dimensions: 8 });
        expect(short.data[0]?.embedding).toHaveLength(8);
        const response = await service.post(PATHS.embeddings, {
            model: MODEL,
            input: "length",
            dimensions: DIMENSIONS,
        });
        expect(response.headers.get(HEADERS.cache)).toBe("HIT-L1");
        expect((response.json as OpenaiAnswer).data).toEqual(native.data);
    });

    test.each([
        ["no model", 400, { input: "a", model: undefined }, "model"],
        ["another model", 404, { input: "a", model: "other" }, "model"],
        ["no input", 400, {}, "input"],
        ["an empty input", 400, { input: "" }, "input"],
        ["an empty list", 400, { input: [] }, "input"],
        ["mixed kinds", 400, { input: [1, "a"] }, "input"],
        ["a fraction for a token", 400, { input: [[0.5]] }, "input[0]"],
        ["8,193 tokens", 400, { input: Array<number>(8193).fill(1) }, "input"],
        ["300,001 tokens", 400, { input: Array(37).fill(Array(8109).fill(1)) }, "input"],
        ["an unknown encoding", 400, { input: "a", encoding_format: "hex" }, "encoding_format"],
        ["no dimensions", 400, { input: "a", dimensions: 0 }, "dimensions"],
        ["a number for a user", 400, { input: "a", user: 1 }, "user"],
        ["an unknown field", 400, { input: "a", input_type: "query" }, "input_type"],
    ])("%s is rejected, naming the parameter", async (_, status, body, param) => {
        const answer = await service.post(PATHS.embeddings, { model: MODEL, ...body });
        expectRefusal(answer, status, { type: "invalid_request_error", param });
    });

    test("a rejection of the upstream is the client's 400, with the upstream's reason", async () => {
        const answer = await service.post(PATHS.embeddings, { model: MODEL, input: REFUSED });
        expectRefusal(answer, 400, { message: "input refused", code: "refused" });
    });

    test("a body over 8 MiB is a 413 and not buffered", async () => {
        const answer = await service.post(PATHS.embed, { text: "x".repeat(9 * 1024 * 1024) });
        expectRefusal(answer, 413, { type: "invalid_request_error" });
    });
});

describe("Paths with a model's name", () => {
    const card = { id: MODEL, object: "model", created: expect.any(Number), owned_by: "openai" };

    test("list it and describe it, like OpenAI's", async () => {
        const list = await service.get("/v1/models");
        expect([list.status, list.json]).toEqual([200, { object: "list", data: [card] }]);
        const one = await service.get(`/v1/models/${MODEL}`);
        expect([one.status, one.json]).toEqual([200, card]);
    });

    test("serve Azure's deployment, whose body need not name it", async () => {
        const path = `/openai/deployments/${MODEL}/embeddings?api-version=2024-10-21`;
        const [plain] = (await embeddings({ input: "a deployment" })).data;
        for (const model of [undefined, MODEL]) {
            const { status, json } = await service.post(path, { model, input: "a deployment" });
            expect([status, (json as OpenaiAnswer).data[0]]).toEqual([200, plain]);
        }
        const v1 = await service.post("/openai/v1/embeddings", { model: MODEL, input: "a" });
        expect(v1.status).toBe(200);
    });

    test.each([
        ["/v1/models/other", "GET", undefined],
        ["/openai/deployments/other/embeddings", "POST", { input: "a" }],
        [`/openai/deployments/${MODEL}/embeddings`, "POST", { model: "other", input: "a" }],
    ])("%s with another model is a 404 that names it", async (path, method, body) => {
        const { status, json } = body
            ? await service.post(path, body)
            : await service.get(path, method);
        expect(status).toBe(404);
        expect(json).toMatchObject({
            error: {
                code: "model_not_found",
                message: `The model "other" is not available; allowed: "${MODEL}"`,
            },
        });
    });
});

describe("everything else", () => {
    test.each([PATHS.live, PATHS.ready, PATHS.startup, PATHS.health, PATHS.metrics])(
        "%s serves GET and HEAD",
        async (path) => {
            expect((await service.get(path)).status).toBe(200);
            const head = await service.get(path, "HEAD");
            expect([head.status, head.text]).toEqual([200, ""]);
        },
    );

    test("an unknown path is a 404 and a wrong method a 405, in JSON", async () => {
        const unknown = await service.get("/nothing");
        expect([unknown.status, unknown.headers.get("content-type")]).toEqual([
            404,
            "application/json",
        ]);
        const wrong = await service.get(PATHS.embed);
        expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
        expect((await service.post(PATHS.live, {})).status).toBe(405);
    });

    test("every response has the colour and the version", async () => {
        for (const answer of [await service.get("/nothing"), await service.get(PATHS.health)]) {
            expect(answer.headers.get(HEADERS.servedBy)).toBe("blue");
            expect(answer.headers.get(HEADERS.servedVersion)).toBe("v1.0.0");
        }
    });

    test("metrics count items, requests, tokens and dollars", async () => {
        const money = (label: string, value: string) =>
            `{tenant="anonymous",model="${MODEL}",${label}="${value}"}`;
        const series = {
            hit: `${METRICS.lookups}{result="hit_l1"}`,
            miss: `${METRICS.lookups}{result="miss"}`,
            billed: `${METRICS.tokensBilled}${money("purpose", "request")}`,
            kept: `${METRICS.tokensSaved}${money("result", "hit_l1")}`,
            saved: `${METRICS.costSaved}${money("result", "hit_l1")}`,
            spent: `${METRICS.costBilled}${money("purpose", "request")}`,
            requests: `${METRICS.requests}{route="${PATHS.embed}",code="200"}`,
            misses: `${METRICS.responseTime}_count{route="${PATHS.embed}",result="miss"}`,
            hits: `${METRICS.responseTime}_count{route="${PATHS.embed}",result="hit_l1"}`,
        };
        const read = async (): Promise<number[]> =>
            Promise.all(Object.values(series).map(service.metric));
        const before = await read();
        await service.post(PATHS.embed, { text: "counted three words" });
        await service.post(PATHS.embed, { text: "counted three words" });
        const after = await read();
        const grown = after.map((value, index) =>
            Number((value - (before[index] ?? NaN)).toFixed(6)),
        );
        expect(grown).toEqual([1, 1, 3, 3, 0.001, 0.001, 2, 1, 1]);
        expect(await service.metric(METRICS.inFlight)).toBe(0);
        expect(await service.metric(METRICS.hitRate)).toBeGreaterThan(0);
        expect(await service.metric(METRICS.redisUp)).toBe(0);
    });

    test("unused series are initialised at zero", async () => {
        expect(await service.metric(`${METRICS.lookups}{result="hit_l2"}`)).toBe(0);
        expect(await service.metric(`${METRICS.requests}{route="${PATHS.embed}",code="503"}`)).toBe(
            0,
        );
    });
});
