import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createServer, type RequestListener, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { eventually } from "../../../app/test/support/eventually.ts";
import { read, type Service } from "../../../app/test/support/service.ts";
import { startEmbeddingService, startExample, type Example } from "./support/example.ts";

let service: Service;
let example: Example;

beforeAll(async () => {
    service = await startEmbeddingService();
    example = await startExample(service.url);
    await example.ready;
});

afterAll(async () => {
    await example.stop(0);
    await service.stop();
});

const JSON_TYPE = { "content-type": "application/json" };

async function call(path: string, init?: RequestInit, to = example) {
    return read(await fetch(to.url + path, init));
}

function post(path: string, body: unknown, to = example) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return call(path, { method: "POST", headers: JSON_TYPE, body: text }, to);
}

interface Property {
    readonly id: string;
    readonly area: string;
    readonly bedrooms: number;
    readonly pricePounds: number;
}

interface ChatBody {
    readonly answer: string;
    readonly answeredBy: string;
    readonly chatError?: string;
    readonly constraints: Readonly<Record<string, unknown>>;
    readonly sessionId: string;
    readonly properties: readonly Property[];
}

async function list(query: string) {
    const { json } = await call(`/api/properties?${query}`);
    return json as { properties: Property[]; total: number; limit: number; offset: number };
}

async function chat(message: string, sessionId: string, to = example): Promise<ChatBody> {
    const { status, json } = await post("/api/chat", { message, sessionId }, to);
    expect(status).toBe(200);
    return json as ChatBody;
}

describe("listings", () => {
    test("are filtered, and paged without a gap", async () => {
        const all = await list("area=hackney&limit=100");
        expect(all.total).toBe(12);
        expect(new Set(all.properties.map(({ area }) => area))).toEqual(new Set(["Hackney"]));
        const pages = await Promise.all(
            [0, 5, 10].map((offset) => list(`area=Hackney&limit=5&offset=${offset}`)),
        );
        expect(pages.flatMap(({ properties }) => properties)).toEqual(all.properties);
        const some = await list("minBedrooms=2&maxPrice=800000&limit=100");
        expect(some.total).toBeGreaterThan(0);
        for (const { bedrooms, pricePounds } of some.properties) {
            expect([bedrooms >= 2, pricePounds <= 800_000]).toEqual([true, true]);
        }
        expect(await list("offset=1000")).toMatchObject({ properties: [], total: 24, limit: 20 });
    });

    test("are found by their IDs", async () => {
        const [first] = (await list("limit=1")).properties;
        expect((await call(`/api/properties/${first?.id ?? ""}`)).json).toEqual(first);
        expect(await call("/api/properties/p999")).toMatchObject({
            status: 404,
            json: { error: { message: "No such property: p999" } },
        });
    });
});

describe("points of interest", () => {
    test("are ranked by meaning near the listing; the second call is a hit", async () => {
        const [{ id } = { id: "" }] = (await list("area=Peckham&limit=1")).properties;
        const body = { query: "a quiet park with old trees", radiusMetres: 3_000 };
        const answers = [
            await post(`/api/properties/${id}/pois`, body),
            await post(`/api/properties/${id}/pois`, body),
        ];
        expect(answers.map(({ headers }) => headers.get("x-cache"))).toEqual(["MISS", "HIT-L1"]);
        expect(answers[1]?.json).toEqual(answers[0]?.json);
        const { pois } = answers[0]?.json as {
            pois: { kind: string; score: number; distanceMetres: number }[];
        };
        expect(pois).toHaveLength(10);
        expect(pois[0]?.kind).toBe("park");
        const scores = pois.map(({ score }) => score);
        expect(scores).toEqual([...scores].sort((one, other) => other - one));
        const { text } = await call("/metrics");
        expect(text).toMatch(/embedding_calls_total{purpose="pois",outcome="HIT-L1"} 1\n/);
    });

    test("need a query only", async () => {
        const { status, json } = await post("/api/properties/p193/pois", { query: "coffee" });
        expect([status, json]).toEqual([
            200,
            expect.objectContaining({ propertyId: "p193", radiusMetres: 1_500 }),
        ]);
    });
});

describe("the chat", () => {
    test("answers from listings that fit, and remembers the session's constraints", async () => {
        const first = await chat("Two-bedroom home in Hackney under £1m", "memory");
        expect(first).toMatchObject({
            answeredBy: "listings",
            sessionId: "memory",
            constraints: { bedrooms: 2, areas: ["Hackney"], maxPricePounds: 1_000_000 },
        });
        expect(first.properties.length).toBeGreaterThan(0);
        for (const { id, area, bedrooms, pricePounds } of first.properties.slice(0, 3)) {
            expect([area, bedrooms]).toEqual(["Hackney", 2]);
            expect(first.answer).toContain(`(${id}): £${pricePounds.toLocaleString("en-GB")}`);
        }
        const second = await chat("what about Peckham?", "memory");
        expect(second.constraints).toEqual({ ...first.constraints, areas: ["Peckham"] });
        expect(second.properties.every(({ area }) => area === "Peckham")).toBe(true);
        expect((await chat("a home with a garden", "another")).constraints).toEqual({});
    });

    test("says so where nothing fits, and what would", async () => {
        const { answer, properties } = await chat("studio in Hackney under £50k", "none");
        expect(properties).toEqual([]);
        expect(answer).toMatch(/^No listing matches: studio, at most £50,000, in Hackney\. /);
    });

    test("ranks by meaning", async () => {
        const { properties } = await chat("somewhere to grow vegetables outdoors", "meaning");
        const listing = properties[0] as unknown as { features: readonly string[] };
        expect(listing.features).toEqual(
            expect.arrayContaining([expect.stringMatching(/garden|terrace|balcony|playground/)]),
        );
    });

    test("loses no constraint of messages at the same time", async () => {
        const messages = ["in Hackney", "under £900k", "with two bedrooms"];
        await Promise.all(messages.map((message) => chat(message, "together")));
        const { constraints } = await chat("a garden", "together");
        expect(constraints).toMatchObject({
            areas: ["Hackney"],
            maxPricePounds: 900_000,
            bedrooms: 2,
        });
    });

    test("makes a session ID where there is none", async () => {
        const { json } = await post("/api/chat", { message: "a garden" });
        expect((json as ChatBody).sessionId).toMatch(/^[\w-]{36}$/);
    });
});

describe("a chat API", () => {
    let upstream: Server;
    let prompts: { messages: { role: string; content: string }[] }[];
    let respond: RequestListener;
    let withChat: Example;

    beforeAll(async () => {
        upstream = createServer((request, response) => {
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                prompts.push(JSON.parse(Buffer.concat(chunks).toString()) as never);
                respond(request, response);
            });
        });
        upstream.listen(0, "127.0.0.1");
        await once(upstream, "listening");
        const { port } = upstream.address() as AddressInfo;
        withChat = await startExample(service.url, {
            CHAT_URL: `http://127.0.0.1:${port}/v1`,
            CHAT_API_KEY: "a-chat-key-of-a-test",
            CHAT_TIMEOUT_SECONDS: "1",
            MAX_REQUESTS: "1",
        });
        await withChat.ready;
    });

    afterAll(async () => {
        await withChat.stop(0);
        upstream.closeAllConnections();
        upstream.close();
    });

    const say = (content: string): RequestListener => {
        const choices = [{ index: 0, message: { role: "assistant", content } }];
        return (request, response) => {
            expect(request.headers.authorization).toBe("Bearer a-chat-key-of-a-test");
            response.setHeader("content-type", "application/json");
            response.end(JSON.stringify({ choices }));
        };
    };

    test("words the answer from the listings and the session's turns", async () => {
        prompts = [];
        respond = say("Have a look at it.");
        const { answer, answeredBy, properties } = await chat("a garden in Hackney", "s", withChat);
        expect([answer, answeredBy]).toEqual(["Have a look at it.", "chat"]);
        await chat("under £900k", "s", withChat);
        const [first, second] = prompts.map(({ messages }) => messages);
        expect(first?.[0]?.content).toContain(`${properties[0]?.id ?? "none"}: `);
        expect(second?.slice(1).map(({ role, content }) => [role, content])).toEqual([
            ["user", "a garden in Hackney"],
            ["assistant", "Have a look at it."],
            ["user", "under £900k"],
        ]);
    });

    test("holds a request that counts: more than allowed at a time must come back later", async () => {
        prompts = [];
        const held = new Promise<() => void>((resolve) => {
            respond = (...exchange) => resolve(() => say("Here.")(...exchange));
        });
        const first = chat("a garden", "held", withChat);
        const release = await held;
        const second = await post("/api/chat", { message: "a garden" }, withChat);
        expect([second.status, second.headers.get("retry-after")]).toEqual([503, "1"]);
        expect((await call("/api/properties", {}, withChat)).status).toBe(200);
        release();
        expect((await first).answer).toBe("Here.");
    });

    test.each<[string, RequestListener, RegExp]>([
        ["fails", (_, response) => response.writeHead(500).end(), /500/],
        ["is silent", () => undefined, /aborted|timed out/i],
        ["says nothing", say(" "), /empty answer/],
        ["says what is no JSON", (_, response) => response.end("<html>"), /./],
    ])("that %s is replaced by the composed answer, which says so", async (_, listener, reason) => {
        prompts = [];
        respond = listener;
        const answered = await chat("a garden in Hackney", "failing", withChat);
        expect(answered.answeredBy).toBe("listings");
        expect(answered.answer).toContain("Hackney");
        expect(answered.chatError).toMatch(/^The chat API failed: /);
        expect(answered.chatError).toMatch(reason);
        expect(prompts).toHaveLength(1);
    });
});

describe("wrong requests", () => {
    const POIS = "/api/properties/p193/pois";

    test.each<[string, unknown, string, string]>([
        [POIS, {}, "query", "query is not set; allowed: text of 1 to 500 characters"],
        [POIS, { query: " " }, "query", 'query is " "; allowed: text'],
        [POIS, { query: 7 }, "query", "query is 7; allowed: text"],
        [POIS, { query: "\ud800" }, "query", "allowed: text"],
        [POIS, { query: "x".repeat(501) }, "query", "allowed: text of 1 to 500 characters"],
        [
            POIS,
            { query: "park", radiusMetres: 99 },
            "radiusMetres",
            "radiusMetres is 99; allowed: a whole number from 100 to 10000",
        ],
        [POIS, { query: "park", limit: "5" }, "limit", 'limit is "5"; allowed: a whole number'],
        [POIS, { query: "park", radius: 5 }, "radius", "radius is unknown; allowed: query, radius"],
        ["/api/chat", { sessionId: "s" }, "message", "message is not set; allowed: text of 1 to"],
        ["/api/chat", { message: "x", sessionId: "a b" }, "sessionId", 'sessionId is "a b"'],
    ])("%s %j is rejected by %s", async (path, body, field, message) => {
        const { status, json } = await post(path, body);
        expect([status, json]).toEqual([
            400,
            { error: { message: expect.stringContaining(message), field } },
        ]);
    });

    test.each([
        ["limit=0", "limit", "limit is 0;"],
        ["limit=101", "limit", "allowed: a whole number from 1 to 100"],
        ["offset=-1", "offset", "allowed: a whole number from 0 to"],
        ["offset=1e9", "offset", 'offset is "1e9"'],
        ["area=Atlantis", "area", 'area is "Atlantis"; allowed: Balham, Battersea'],
        ["area=Hackney&area=Peckham", "area", "allowed: one value"],
        ["minPrice=2&maxPrice=1", "minPrice", "minPrice is 2; allowed: at most maxPrice (1)"],
        ["price=1", "price", "price is unknown; allowed: area, bedrooms"],
    ])("GET /api/properties?%s", async (query, field, message) => {
        const { status, json } = await call(`/api/properties?${query}`);
        expect([status, json]).toEqual([
            400,
            { error: { message: expect.stringContaining(message), field } },
        ]);
    });

    test("have the status that says why", async () => {
        expect((await post("/api/chat", "{")).status).toBe(400);
        expect((await post("/api/chat", "[]")).status).toBe(400);
        expect((await post("/api/chat", JSON.stringify("x".repeat(17_000)))).status).toBe(413);
        const twice = await post("/api/chat", '{"message":"a","message":"b"}');
        expect([twice.status, twice.json]).toEqual([
            400,
            {
                error: {
                    message: '"message" is in an object twice; allowed: once',
                    field: "message",
                },
            },
        ]);
        const bytes = Buffer.from('{"message":"\xff"}', "latin1");
        const binary = await call("/api/chat", { method: "POST", headers: JSON_TYPE, body: bytes });
        expect([binary.status, binary.text]).toEqual([400, expect.stringContaining("not UTF-8")]);
        const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
        const gzip = await call("/api/chat", { method: "POST", headers, body: "{}" });
        expect([gzip.status, gzip.text]).toEqual([
            415,
            expect.stringContaining("content-encoding is gzip; allowed: identity"),
        ]);
        const form = { method: "POST", body: new URLSearchParams("message=x") };
        expect((await call("/api/chat", form)).status).toBe(415);
        expect((await call("/api/other")).status).toBe(404);
        const wrong = await call("/api/chat");
        expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
        const put = await call("/api/properties", { method: "PUT" });
        expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
        const head = await call("/api/properties", { method: "HEAD" });
        expect([head.status, head.text]).toEqual([200, ""]);
    });

    test("a body that grows beyond the limit is not read to its end", async () => {
        const body = new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(4_096)),
        });
        const init = { method: "POST", headers: JSON_TYPE, body, duplex: "half" } as RequestInit;
        const status = await call("/api/chat", init).then(
            (answer) => answer.status,
            // The client may notice the end of the connection before the answer.
            () => 413,
        );
        expect(status).toBe(413);
    });
});

describe("without the embedding service", () => {
    test("it is alive, not ready, and says when to come back", async () => {
        const alone = await startExample("http://127.0.0.1:1");
        try {
            expect((await call("/healthz", {}, alone)).status).toBe(200);
            expect((await call("/readyz", {}, alone)).status).toBe(503);
            const answer = await post("/api/chat", { message: "a garden" }, alone);
            expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
            expect((await call("/api/properties", {}, alone)).status).toBe(200);
            await eventually("it says why", () => alone.lines.length > 0);
            expect(alone.lines[0]).toMatch(/^Not ready: The embeddings API failed: Connection/);
        } finally {
            await alone.stop(0);
        }
    });

    test("it becomes ready when the service comes, and answers 503 when it goes", async () => {
        let isUp = false;
        // A gateway without a route to the service: first and in the end.
        const gateway = createServer((request, response) => {
            if (!isUp) {
                response.writeHead(404).end();
                return;
            }
            response.setHeader("content-type", "application/json");
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                const body = Buffer.concat(chunks);
                void fetch(service.url + (request.url ?? ""), { method: "POST", body }).then(
                    async (answer) => response.end(await answer.text()),
                );
            });
        });
        gateway.listen(0, "127.0.0.1");
        await once(gateway, "listening");
        const { port } = gateway.address() as AddressInfo;
        const late = await startExample(`http://127.0.0.1:${port}`);
        try {
            await eventually("it has failed", () => late.lines.length > 0);
            isUp = true;
            await late.ready;
            expect((await call("/readyz", {}, late)).status).toBe(200);
            isUp = false;
            const gone = await post("/api/properties/p193/pois", { query: "a new text" }, late);
            expect(gone).toMatchObject({ status: 503 });
            expect(Number(gone.headers.get("retry-after"))).toBeGreaterThan(0);
        } finally {
            await late.stop(0);
            gateway.closeAllConnections();
            gateway.close();
        }
    });
});
