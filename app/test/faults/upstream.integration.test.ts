import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { endAfterTest, setUpEach } from "../../../tests/support/setUp.ts";
import { eventually } from "../support/eventually.ts";
import { killPods, startPod } from "../support/pod.ts";
import { countEntries, freePort } from "../support/redisServer.ts";
import {
    MODEL,
    startService,
    stubEnvironment,
    type Answer,
    type Service,
} from "../support/service.ts";
import { setUpRedis } from "../support/setUp.ts";
import {
    reply,
    rightAnswer,
    startStubUpstream,
    type RightAnswer,
    type StubRequest,
    type Turn,
} from "../support/stubUpstream.ts";
import { trueVector } from "../support/vectors.ts";

/** Retries sooner than production. As there, an attempt has 10 s and a request 25 s. */
const TIMING = { firstRetryDelayMilliseconds: 1, halfOpenAfterMilliseconds: 100 };
/** For faults that nothing but a timeout ends: a busy machine misses it without any. */
const SHORT_ATTEMPTS = { ...TIMING, attemptTimeoutMilliseconds: 400 };
/** With attempts of 10 s, the deadline of the request ends two inputs after so many. */
const LONG_ATTEMPTS = 5;

const redis = setUpRedis();

beforeEach(() => void redis.command("FLUSHALL"));

const stub = setUpEach(startStubUpstream, (one) => one.stop());
const service = setUpEach(
    () => startService(stubEnvironment(stub.url, redis.url), { timing: TIMING }),
    (one) => one.stop(),
);
const endLater = endAfterTest();

afterEach(killPods);

const WORDS = ["one text", "another text"];

const ask = (input: readonly string[], at = service): Promise<Answer> =>
    at.post(PATHS.embeddings, { model: MODEL, input });

async function expectRight(input: readonly string[], cache: string, at = service): Promise<void> {
    const answer = await ask(input, at);
    expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    expect(answer.headers.get("x-cache")).toBe(cache);
    const { data } = answer.json as { data: { embedding: number[] }[] };
    expect(data.map(({ embedding }) => Float32Array.from(embedding))).toEqual(
        input.map((text) => trueVector(text)),
    );
}

function expectError(answer: Answer, status: number, code: string, words: RegExp): void {
    expect([answer.status, answer.json]).toEqual([
        status,
        {
            error: {
                message: expect.stringMatching(words),
                type: "server_error",
                param: null,
                code,
            },
        },
    ]);
}

const cachedEntries = (): number => countEntries(redis);

/** Sends the beginning of the correct response, and then the fault. */
const half =
    (then: Turn): Turn =>
    (body, response) => {
        const whole = JSON.stringify(rightAnswer(body));
        response.writeHead(200, { "content-type": "application/json" });
        response.write(whole.slice(0, whole.length / 2), () => then(body, response));
    };

const trickle: Turn = (body, response) => {
    const whole = JSON.stringify(rightAnswer(body));
    response.writeHead(200, { "content-type": "application/json" });
    let at = 0;
    const timer = setInterval(() => response.write(whole.charAt(at++)), 50);
    response.on("close", () => clearInterval(timer));
};

/** As fast as it is read, forever. */
const endless: Turn = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const block = Buffer.alloc(256 * 1024, "[");
    const more = (): void => {
        while (!response.destroyed && response.write(block));
    };
    response.on("drain", more);
    more();
};

type Data = RightAnswer["data"];

const changed =
    (change: (data: Data) => unknown): Turn =>
    (body, response) => {
        const { data, usage } = rightAnswer(body);
        reply(response, 200, { data: change(data), usage });
    };

/** Including a split call, in which each text is alone. */
const last = (change: object) =>
    changed((data) =>
        data.map((item, at) => (at === data.length - 1 ? { ...item, ...change } : item)),
    );

const html: Turn = (_, response) =>
    reply(response, 200, "<html>Sign in</html>", { "content-type": "text/html" });

/**
 * Expects an error for WORDS while the upstream answers their calls with a fault, and right answers for others.
 *
 * @returns how many calls failed
 */
async function expectIsolated(
    at: Service,
    turn: Turn,
    status: number,
    code: string,
    words: RegExp,
): Promise<number> {
    await expectRight(["known before"], "MISS", at);
    await eventually("it is cached", () => cachedEntries() === 1);
    let broken = true;
    let failed = 0;
    stub.always = (body, response) => {
        if (broken && body.input.some((text) => WORDS.includes(String(text)))) {
            failed += 1;
            turn(body, response);
        } else reply(response, 200, rightAnswer(body));
    };
    const failing = ask(WORDS, at);
    await eventually("it has failed", () => failed > 0);
    await expectRight(["known before"], "HIT-L1", at);
    await expectRight(["somebody else's"], "MISS", at);
    expectError(await failing, status, code, words);
    await eventually("the other one is cached", () => cachedEntries() === 2);
    broken = false;
    await expectRight(WORDS, "MISS", at);
    await expectRight(WORDS, "HIT-L1", at);
    return failed;
}

const UNREACHABLE = "upstream_unreachable";
const BAD = "bad_upstream_response";

describe("An upstream", () => {
    test.each<[string, Turn, number, string, RegExp]>([
        ["resets in mid-body", half((_, r) => r.destroy()), 503, UNREACHABLE, /not be reached/],
        ["resets at once", (_, r) => void r.destroy(), 503, UNREACHABLE, /not be reached/],
        ["ends cleanly in mid-body", half((_, r) => void r.end()), 503, BAD, /not JSON/],
        ["answers in HTML", html, 503, BAD, /not JSON/],
        ["sends without end", endless, 503, BAD, /larger than \d+ bytes/],
        ["has no data", changed(() => undefined), 503, BAD, /no data/],
        ["leaves a vector out", changed((d) => d.slice(1)), 503, BAD, /0 vectors for 1 inputs/],
        ["gives a wrong index", last({ index: 2 }), 503, BAD, /the index 2/],
        ["gives a NaN", last({ embedding: [1, null] }), 503, BAD, /vector 0 is invalid/],
        ["gives zeros", last({ embedding: Array(16).fill(0) }), 503, BAD, /it is zero/],
        [
            "gives a short vector",
            last({ embedding: [1, 0] }),
            503,
            BAD,
            /2 dimensions instead of 16/,
        ],
        ["fails", (_, r) => reply(r, 500, "broken"), 503, "upstream_error", /responded with 500/],
    ])("that %s gives an error, caches nothing and blocks no other request", async (...fault) => {
        const [, turn, status, code, words] = fault;
        await expectIsolated(service, turn, status, code, words);
    });

    test.each<[string, Turn]>([
        ["hangs before its headers", () => undefined],
        ["hangs in mid-body", half(() => undefined)],
        ["trickles", trickle],
    ])(
        "that %s gives an error after its attempts, caches nothing and blocks no other request",
        async (_, turn) => {
            const options = { timing: SHORT_ATTEMPTS };
            const hasty = await startService(stubEnvironment(stub.url, redis.url), options);
            endLater(() => hasty.stop());
            const words = /not answer in time/;
            const failed = await expectIsolated(hasty, turn, 504, "upstream_timeout", words);
            expect(failed).toBeGreaterThan(LONG_ATTEMPTS);
        },
    );

    test("with another order is sorted, and cached so", async () => {
        stub.misbehave(changed((data) => data.toReversed()));
        await expectRight(WORDS, "MISS");
        await expectRight(WORDS.toReversed(), "HIT-L1");
    });

    test("that redirects is neither followed nor retried", async () => {
        const elsewhere = await startStubUpstream();
        endLater(() => elsewhere.stop());
        const location = `${elsewhere.url.href}/embeddings`;
        for (const status of [301, 302, 307, 308]) {
            stub.misbehave((_, response) => reply(response, status, "", { location }));
            const before = stub.requests.length;
            expectError(await ask(WORDS), 503, "upstream_rejected", new RegExp(`\\(${status}\\)`));
            expect(stub.requests).toHaveLength(before + 1);
        }
        expect(elsewhere.requests).toEqual([]);
        await expectRight(WORDS, "MISS");
    });

    test.each([
        ["nothing of its tokens", undefined, 7],
        ["that it read none", { prompt_tokens: 0, total_tokens: 0 }, 7],
        ["their total only, as Voyage does", { total_tokens: 40 }, 40],
        ["more than they can have", { prompt_tokens: 1e15 }, 7],
    ])("that reports %s is accepted, and its texts are not free", async (_, usage, tokens) => {
        stub.misbehave((body, response) => {
            reply(response, 200, { data: rightAnswer(body).data, usage });
        });
        const answer = await ask(WORDS);
        expect(answer.json).toMatchObject({ usage: { prompt_tokens: tokens } });
        await expectRight(WORDS, "HIT-L1");
    });

    test.each([
        ["the first", [undefined, 1]],
        ["all", [undefined, undefined]],
        ["all: 0 stands everywhere", [0, 0]],
    ])("that omits the index of %s means the order of the inputs", async (_, indexes) => {
        stub.misbehave(
            changed((data) => data.map((item, at) => ({ ...item, index: indexes[at] }))),
        );
        await expectRight(WORDS, "MISS");
        expect(stub.requests).toHaveLength(1);
    });

    test("that refuses connections gives a 503, and is used again when it is back", async () => {
        const port = await freePort();
        const url = new URL(`http://127.0.0.1:${port}/v1`);
        const alone = await startService(stubEnvironment(url), { timing: TIMING });
        endLater(() => alone.stop());
        expectError(await ask(WORDS, alone), 503, UNREACHABLE, /ECONNREFUSED/);
        const back = await startStubUpstream({}, port);
        endLater(() => back.stop());
        await eventually("it is found", async () => (await ask(WORDS, alone)).status === 200);
    });

    test("whose name does not resolve gives a 503", async () => {
        const url = new URL("http://upstream.invalid/v1");
        const alone = await startService(stubEnvironment(url), {
            timing: TIMING,
        });
        endLater(() => alone.stop());
        expectError(await ask(WORDS, alone), 503, UNREACHABLE, /ENOTFOUND|EAI_AGAIN/);
    });

    test("with an untrusted certificate gets no text", async () => {
        const seen: unknown[] = [];
        const server = createServer(selfSigned(), (incoming, response) => {
            seen.push(incoming.url);
            response.end("{}");
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        endLater(() => void server.close());
        const { port } = server.address() as AddressInfo;
        const url = new URL(`https://localhost:${port}/v1`);
        const alone = await startService(stubEnvironment(url), { timing: TIMING });
        endLater(() => alone.stop());
        expectError(await ask(WORDS, alone), 503, UNREACHABLE, /DEPTH_ZERO_SELF_SIGNED_CERT/);
        expect(seen).toEqual([]);
    });

    test("without TLS where TLS is required gives a 503", async () => {
        const url = new URL(stub.url.href.replace("http:", "https:"));
        const alone = await startService(stubEnvironment(url), { timing: TIMING });
        endLater(() => alone.stop());
        expectError(await ask(WORDS, alone), 503, UNREACHABLE, /ERR_SSL/);
        expect(stub.requests).toEqual([]);
    });
});

describe("SIGTERM", () => {
    test("with kept-alive connections and slow calls in flight fails no request", async () => {
        const clients = 16;
        const { port, process: pod } = await startPod(stubEnvironment(stub.url, redis.url));
        const slow: Turn = (body: StubRequest, response) => {
            setTimeout(() => reply(response, 200, rightAnswer(body)), 300);
        };
        stub.misbehave(...Array<Turn>(10_000).fill(slow));
        const agent = new Agent({ keepAlive: true, maxSockets: clients });
        const statuses: (number | undefined)[] = [];
        let terminated = false;
        async function client(number: number): Promise<void> {
            for (let after = 0; after < 3; after += terminated ? 1 : 0) {
                // Misses only: every response waits for the upstream.
                const text = `client ${number} asks ${statuses.length} ${after}`;
                statuses.push(await post(port, agent, JSON.stringify({ text })));
            }
        }
        const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
        await eventually("calls are in flight", () => statuses.length >= 2 * clients);
        const exit = once(pod, "exit");
        pod.kill("SIGTERM");
        terminated = true;
        await all;
        expect(statuses.filter((status) => status !== 200)).toEqual([]);
        agent.destroy();
        expect(await exit).toEqual([0, null]);
    });
});

function post(port: number, agent: Agent, body: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
        const options = { port, host: "127.0.0.1", agent, method: "POST", path: PATHS.embed };
        request(options, (response) => {
            response.on("error", reject);
            response.resume().on("end", () => resolve(response.statusCode));
        })
            .on("error", reject)
            .end(body);
    });
}

/** A certificate for localhost that it signed itself. */
function selfSigned(): { key: Buffer; cert: Buffer } {
    const folder = mkdtempSync(join(tmpdir(), "self-signed-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const wish = ["-subj", "/CN=localhost", "-days", "1", "-keyout", key, "-out", cert];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...kind, ...wish], { stdio: "ignore" });
    const certificate = { key: readFileSync(key), cert: readFileSync(cert) };
    rmSync(folder, { recursive: true });
    return certificate;
}
