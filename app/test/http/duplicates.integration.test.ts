import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { describe, expect, test } from "@jest/globals";
import { ADMIN_PATHS, ADMIN_PREFIX, HEADERS, METRICS, PATHS } from "@property-search/contract";

import { MAX_FEEDBACK_BYTES } from "../../src/http/protocol/feedbackRequest.ts";
import { ADMIN_TOKEN } from "../support/admin.ts";
import { MODEL, stubEnvironment } from "../support/service.ts";
import { setUpTenants, setUpService, setUpUpstream } from "../support/setUp.ts";

const AUTOMATION_TOKEN = "an-automation-token-of-32-characters-or-more";
const KEY = "key-of-search";

const tenants = setUpTenants({ id: "search", key: KEY });
const upstream = setUpUpstream();
const service = setUpService(() => ({
    ...stubEnvironment(upstream.url),
    ANONYMOUS: "false",
    TENANTS_FILE: tenants.file,
    ADMIN_TOKEN,
    AUTOMATION_TOKEN,
}));

const PORTS = {
    service: () => ({ url: service.url, authorization: `authorization: Bearer ${KEY}` }),
    admin: () => ({ url: service.adminUrl, authorization: `authorization: Bearer ${ADMIN_TOKEN}` }),
    automation: () => ({
        url: service.automationUrl,
        authorization: `authorization: Bearer ${AUTOMATION_TOKEN}`,
    }),
};

interface Sent {
    readonly port?: keyof typeof PORTS;
    readonly method?: string;
    readonly path: string;
    readonly headers?: readonly string[];
    /** Undefined: only the head is sent. */
    readonly body?: string | undefined;
    readonly length?: number;
}

/** Sends a request as it is, since HTTP clients join equal headers. */
async function send({ port = "service", method = "POST", path, headers = [], body, length }: Sent) {
    const { url = "", authorization } = PORTS[port]();
    const prefix = port === "service" ? "" : ADMIN_PREFIX;
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const lines = [
        `${method} ${prefix}${path} HTTP/1.1`,
        ...["host: service", "connection: close", authorization, "content-type: application/json"],
        ...(body === undefined && length === undefined
            ? []
            : [`content-length: ${length ?? Buffer.byteLength(body ?? "")}`]),
        ...headers,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body ?? ""}`);
    const all = await readResponse(socket);
    const json = all.slice(all.indexOf("\r\n\r\n") + 4);
    const error = json === "" ? undefined : (JSON.parse(json) as { error?: Failure }).error;
    return { head: all, status: Number(all.slice(9, 12)), error };
}

/** Reads one response; a connection whose request is incomplete is kept open for a while. */
async function readResponse(socket: Socket): Promise<string> {
    let all = "";
    for await (const piece of socket as AsyncIterable<Buffer>) {
        all += piece.toString("latin1");
        const length = Number(/^content-length: (\d+)/im.exec(all)?.[1] ?? 0);
        const end = all.indexOf("\r\n\r\n");
        if (end >= 0 && all.length >= end + 4 + length) break;
    }
    socket.destroy();
    return all;
}

interface Failure {
    readonly param: string;
    readonly code: string;
    readonly message: string;
}

const OPENAI = `"model":"${MODEL}","input":"a home"`;
const long = JSON.stringify(Array.from({ length: 100 }, () => "x".repeat(1_000)));

test.each<[string, string, Sent]>([
    ["text", "/embed", { path: PATHS.embed, body: '{"text":"a","text":"b"}' }],
    [
        "input",
        "a body that another thread parses",
        {
            path: PATHS.embeddings,
            body: `{"model":"${MODEL}","input":${long},"in\\u0070ut":${long}}`,
        },
    ],
    ["input", "OpenAI's", { path: PATHS.embeddings, body: `{${OPENAI},"input":"b"}` }],
    ["model", "Azure's", { path: PATHS.azureEmbeddings, body: `{${OPENAI},"model":"${MODEL}"}` }],
    [
        "verdict",
        "feedback",
        { path: PATHS.feedback, body: '{"verdict":"relevant","verdict":"irrelevant"}' },
    ],
    [
        "level",
        "the admin port",
        {
            port: "admin",
            method: "PUT",
            path: "/log-level",
            body: '{"level":"info","level":"warn"}',
        },
    ],
    [
        "cacheTtlSeconds",
        "an object within, on the automation port",
        {
            port: "automation",
            method: "PUT",
            path: ADMIN_PATHS.settings,
            body: '{"version":0,"actor":"a","reason":"b","settings":{"cacheTtlSeconds":3600,"cacheTtlSeconds":7200}}',
        },
    ],
])("a body with %s twice is a 400 that names it: %s", async (param, _, sent) => {
    const { status, error } = await send(sent);
    expect([status, error]).toEqual([
        400,
        expect.objectContaining({
            param,
            code: "duplicate_parameter",
            message: `"${param}" is in an object twice; allowed: once`,
        }),
    ]);
});

describe("A header with one value that is sent twice", () => {
    const body = '{"text":"a home"}';

    test.each<[string, Sent]>([
        ["authorization", { path: PATHS.embed, headers: ["Authorization: Bearer other"], body }],
        [
            "authorization",
            { path: PATHS.models, method: "GET", headers: ["authorization: Bearer"] },
        ],
        [
            "authorization",
            {
                ...{ port: "admin", method: "GET", path: ADMIN_PATHS.settings },
                headers: [`authorization: Bearer ${ADMIN_TOKEN}`],
            },
        ],
    ])("is a 400 that names it: %s", async (param, sent) => {
        const { status, error } = await send(sent);
        expect([status, error]).toEqual([
            400,
            expect.objectContaining({ param, code: "duplicate_header" }),
        ]);
    });

    test("is replaced by a new one if it only names the request", async () => {
        const one = await send({ path: PATHS.embed, headers: ["x-request-id: one"], body });
        expect(one.head).toContain("x-request-id: one\r\n");
        const headers = ["x-request-id: one", "X-Request-Id: two"];
        const { status, head } = await send({ path: PATHS.embed, headers, body });
        expect([status, /x-request-id: (one|two)\r/.test(head)]).toEqual([200, false]);
    });
});

test("two lines of x-cache are one list: one semantic vector decides", async () => {
    const semantic = `${METRICS.feedback}{tenant="search",verdict="relevant",source="semantic"}`;
    const before = await service.metric(semantic);
    const { status } = await send({
        path: PATHS.feedback,
        headers: [`${HEADERS.cache}: HIT-L1`, `${HEADERS.cache}: SEMANTIC`],
        body: '{"verdict":"relevant"}',
    });
    expect([status, await service.metric(semantic)]).toEqual([204, before + 1]);
});

describe("A body over the limit of its route", () => {
    test.each<[string, Sent]>([
        ["feedback", { path: PATHS.feedback, length: MAX_FEEDBACK_BYTES + 1 }],
        [
            "feedback, requested",
            {
                path: PATHS.feedback,
                length: MAX_FEEDBACK_BYTES + 1,
                headers: ["expect: 100-continue"],
            },
        ],
        ["texts", { path: PATHS.embed, length: 9 * 2 ** 20 }],
        ["a setting", { port: "admin", method: "PUT", path: "/log-level", length: 20_000 }],
    ])("is a 413 before any of it was sent: %s", async (_, sent) => {
        expect((await send(sent)).status).toBe(413);
    });

    test("is a 413 as soon as its chunks are too long, however many would follow", async () => {
        const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
        const head = [
            `POST ${PATHS.feedback} HTTP/1.1`,
            ...["host: service", `authorization: Bearer ${KEY}`, "transfer-encoding: chunked"],
        ];
        socket.write(`${head.join("\r\n")}\r\n\r\n`);
        for (let sent = 0; sent <= MAX_FEEDBACK_BYTES; sent += 512)
            socket.write(`200\r\n${"x".repeat(512)}\r\n`);
        const [answer] = (await once(socket, "data")) as [Buffer];
        expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
        socket.destroy();
    });
});

test("each route is in a request metric", async () => {
    const counted = (route: string, code: number) =>
        service.metric(`${METRICS.otherRequests}{route="${route}",code="${code}"}`);
    const sent: readonly [string, number, Sent][] = [
        [PATHS.feedback, 204, { path: PATHS.feedback, body: '{"verdict":"relevant"}' }],
        [PATHS.feedback, 400, { path: PATHS.feedback, body: "{}" }],
        [PATHS.feedback, 413, { path: PATHS.feedback, length: MAX_FEEDBACK_BYTES + 1 }],
        [PATHS.models, 200, { path: PATHS.models, method: "GET" }],
        ["unmatched", 404, { path: "/v2/embeddings", body: "{}" }],
        ["unmatched", 405, { path: PATHS.embed, method: "GET" }],
        ["admin", 200, { port: "admin", method: "GET", path: ADMIN_PATHS.settings }],
        ["automation", 404, { port: "automation", method: "GET", path: "/log-level" }],
    ];
    for (const [route, code, one] of sent) {
        const before = await counted(route, code);
        expect([route, (await send(one)).status]).toEqual([route, code]);
        expect([route, code, await counted(route, code)]).toEqual([route, code, before + 1]);
    }
    const embeddings = `${METRICS.requests}{route="${PATHS.embed}",code="200"}`;
    const before = [await service.metric(embeddings), await counted(PATHS.feedback, 204)];
    await send({ path: PATHS.embed, body: '{"text":"counted once"}' });
    expect([await service.metric(embeddings), await counted(PATHS.feedback, 204)]).toEqual([
        (before[0] ?? 0) + 1,
        before[1],
    ]);
});
