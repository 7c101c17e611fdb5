import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "@jest/globals";
import { HEADERS, METRICS, PATHS } from "@property-search/contract";
import { pino } from "pino";

import { MAX_FEEDBACK_BYTES } from "../../src/http/protocol/feedbackRequest.ts";
import { read, stubEnvironment } from "../support/service.ts";
import { setUpTenants, setUpService, setUpUpstream } from "../support/setUp.ts";

const KEY = "key-of-search";
const lines: string[] = [];

const tenants = setUpTenants(
    { id: "search", key: KEY },
    { id: "slow", key: "slow", limits: { requestsPerSecond: 1, burst: 1 } },
);
const upstream = setUpUpstream();
const service = setUpService(
    () => ({
        ...stubEnvironment(upstream.url),
        ANONYMOUS: "false",
        TENANTS_FILE: tenants.file,
    }),
    { log: pino({ level: "debug" }, { write: (line: string) => void lines.push(line) }) },
);

async function send(body: unknown, headers: Readonly<Record<string, string>> = {}) {
    return read(
        await fetch(service.url + PATHS.feedback, {
            method: "POST",
            headers: { authorization: `Bearer ${KEY}`, ...headers },
            body: typeof body === "string" ? body : JSON.stringify(body),
        }),
    );
}

const count = (verdict: string, source: string, tenant = "search") =>
    service.metric(
        `${METRICS.feedback}{tenant="${tenant}",verdict="${verdict}",source="${source}"}`,
    );

test.each([
    ["relevant", undefined, "unknown"],
    ["irrelevant", "HIT-L1", "exact"],
    ["relevant", "HIT-L2, MISS", "exact"],
    ["relevant", "SEMANTIC", "semantic"],
    ["irrelevant", "HIT-L1, SEMANTIC", "semantic"],
])("%s of vectors with x-cache %p is counted as %s", async (verdict, cache, source) => {
    const before = await count(verdict, source);
    const answer = await send({ verdict }, cache === undefined ? {} : { [HEADERS.cache]: cache });
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(answer.headers.get(HEADERS.requestId)).not.toBeNull();
    expect(await count(verdict, source)).toBe(before + 1);
});

test("the x-cache of a response can be sent as it is", async () => {
    const response = await fetch(service.url + PATHS.embed, {
        method: "POST",
        headers: { authorization: `Bearer ${KEY}` },
        body: JSON.stringify({ text: "a home with a garden" }),
    });
    const before = await count("relevant", "exact");
    const answer = await send(
        { verdict: "relevant", requestId: response.headers.get(HEADERS.requestId) },
        { [HEADERS.cache]: response.headers.get(HEADERS.cache) ?? "" },
    );
    expect(answer.status).toBe(204);
    expect(await count("relevant", "exact")).toBe(before + 1);
});

test("curl can send it", async () => {
    const before = await count("irrelevant", "semantic");
    const { stdout } = await promisify(execFile)("curl", [
        ...["-sS", "-o", join(tenants.folder, "body"), "-w", "%{http_code}"],
        ...["-H", `Authorization: Bearer ${KEY}`, "-H", "x-cache: SEMANTIC"],
        ...["-d", '{"verdict": "irrelevant"}', service.url + PATHS.feedback],
    ]);
    expect(stdout).toBe("204");
    expect(await count("irrelevant", "semantic")).toBe(before + 1);
});

test.each([
    [{}, "verdict is missing; allowed: relevant, irrelevant"],
    [{ verdict: "good" }, 'verdict is "good"; allowed: relevant, irrelevant'],
    [{ verdict: "relevant", requestId: "a b" }, 'requestId is "a b"; allowed: 1 to 128 letters'],
    [{ verdict: "relevant", requestId: "x".repeat(129) }, "requestId is"],
    [{ verdict: "relevant", text: "a home" }, '"text" is unknown; allowed: verdict, requestId'],
    ["relevant", "The body is not JSON"],
    ["[]", "The body is not a JSON object"],
])("%j is refused: %s", async (body, message) => {
    const answer = await send(body);
    expect(answer.status).toBe(400);
    expect((answer.json as { error: { message: string } }).error.message).toContain(message);
});

test("an x-cache that is none is refused, with its name and the allowed values", async () => {
    const answer = await send({ verdict: "relevant" }, { [HEADERS.cache]: "HIT-L1, HIT-L3" });
    expect(answer.status).toBe(400);
    expect((answer.json as { error: object }).error).toMatchObject({
        param: HEADERS.cache,
        message: expect.stringMatching(/x-cache is "HIT-L3"; allowed: HIT-L1, HIT-L2, SEMANTIC/),
    });
});

test.each([MAX_FEEDBACK_BYTES + 1, 200_000])(
    "a body of %i bytes is refused: feedback has no texts",
    async (bytes) => {
        const answer = await send({ verdict: "relevant", requestId: "x".repeat(bytes) });
        expect([answer.status, (answer.json as { error: object }).error]).toEqual([
            413,
            expect.objectContaining({ message: expect.stringContaining("larger than 4096 bytes") }),
        ]);
    },
);

test("a wrong key is a 401, and nothing is counted", async () => {
    const { text } = await service.get(PATHS.metrics);
    const feedback = text.split("\n").filter((line) => line.startsWith(METRICS.feedback));
    const answer = await send({ verdict: "relevant" }, { authorization: "Bearer wrong" });
    expect(answer.status).toBe(401);
    const after = (await service.get(PATHS.metrics)).text;
    expect(after.split("\n").filter((line) => line.startsWith(METRICS.feedback))).toEqual(feedback);
});

test("the limits of the tenant apply", async () => {
    const headers = { authorization: "Bearer slow" };
    const answers = await Promise.all(
        Array.from({ length: 5 }, () => send({ verdict: "relevant" }, headers)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(204);
    expect(statuses).toContain(429);
    expect(await count("relevant", "unknown", "slow")).toBe(
        statuses.filter((status) => status === 204).length,
    );
    expect(
        await service.metric(`${METRICS.rejected}{tenant="slow",reason="requests"}`),
    ).toBeGreaterThan(0);
});

test("every combination starts at 0, also of a tenant that has sent none", async () => {
    expect(await count("irrelevant", "semantic", "slow")).toBe(0);
});

test("the log names the request that was rated, at level debug only", () => {
    const feedback = lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ msg }) => msg === "Feedback");
    expect(feedback.length).toBeGreaterThan(0);
    for (const one of feedback)
        expect(one).toMatchObject({ level: 20, verdict: expect.stringMatching(/relevant$/) });
});
