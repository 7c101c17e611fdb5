import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";

import { beforeEach, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { endAfterTest, setUpEach } from "../../../tests/support/setUp.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import { createEntryCodec, buildIdOf } from "../../src/vector/entry.ts";
import { adminOf, ADMIN_TOKEN, type AdminCall, expectRefusal } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster } from "../support/redisCluster.ts";
import { MODEL, startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpRedis } from "../support/setUp.ts";
import { allAre } from "../support/stage.ts";
import { startStubUpstream } from "../support/stubUpstream.ts";
import { trueVector } from "../support/vectors.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

const source = setUpRedis();
const target = setUpRedis();

beforeEach(() => {
    for (const redis of [source, target]) redis.command("FLUSHALL");
});

const upstream = setUpEach(startStubUpstream, (one) => one.stop());
const from = setUpEach(
    () => podOn(source.url),
    (one) => one.stop(),
);
const to = setUpEach(
    () => podOn(target.url),
    (one) => one.stop(),
);
const endLater = endAfterTest();

async function podOn(redis: URL, more: Record<string, string> = {}): Promise<Service> {
    const pod = await startService({
        ...stubEnvironment(upstream.url, redis),
        ADMIN_TOKEN,
        ...more,
    });
    await allAre([pod], "up");
    return pod;
}

const words = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, n) => `listing number ${n}`);

/** Embeds texts, slowly enough that a busy machine drops no write, and waits until Redis has them. */
async function fill(pod: Service, texts: readonly string[], dimensions?: number): Promise<void> {
    for (let at = 0; at < texts.length; at += 100) {
        const body = { model: MODEL, input: texts.slice(at, at + 100), dimensions };
        expect((await pod.post(PATHS.embeddings, body)).status).toBe(200);
    }
    const entries = async () => (await exported(adminOf(pod))).length - 2;
    await eventually("all are stored", async () => (await entries()) === texts.length);
}

async function exported(call: AdminCall, tenant = "anonymous"): Promise<readonly string[]> {
    const answer = await call("GET", `/export?tenant=${tenant}`);
    expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    return answer.text.trimEnd().split("\n");
}

const send = (lines: readonly string[], pod = to) =>
    adminOf(pod)("POST", "/import", `${lines.join("\n")}\n`, NDJSON);

interface Imported {
    readonly written: number;
    readonly skipped: number;
    readonly rejected: number;
    readonly errors: readonly { line: number; error: string }[];
    readonly complete: boolean;
}

async function imported(lines: readonly string[], pod = to): Promise<Imported> {
    const answer = await send(lines, pod);
    expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    return answer.json as Imported;
}

async function newest(pod: Service): Promise<Record<string, unknown>> {
    const { json } = await adminOf(pod)("GET", "/transfers");
    return (json as Record<string, unknown>[])[0] ?? {};
}

/** Every text is a Redis hit with its own vector. */
async function expectHits(pod: Service, texts: readonly string[]): Promise<void> {
    const answer = await pod.post(PATHS.embed, { texts });
    expect(answer.headers.get("x-cache")).toBe("HIT-L2");
    const { embeddings } = answer.json as { embeddings: number[][] };
    expect(embeddings.map((vector) => Float32Array.from(vector))).toEqual(
        texts.map((text) => trueVector(text)),
    );
}

describe("An export", () => {
    test("of a tenant contains its entries and no others, and works in another cluster", async () => {
        await fill(from, words(150));
        const job = "/warmups?tenant=another&maxTokens=1000";
        const plain = { "content-type": "text/plain" };
        await adminOf(from)("POST", job, "their text\n", plain);
        const theirs = async () => (await exported(adminOf(from), "another")).length;
        await eventually("the other tenant has one", async () => (await theirs()) === 3);
        const lines = await exported(adminOf(from));
        expect(JSON.parse(lines[0] ?? "")).toMatchObject({
            format: "embedding-cache/1",
            tenant: "anonymous",
            epoch: "0.0",
            provider: "openai",
            model: MODEL,
        });
        expect(lines.at(-1)).toBe('{"end":150}');
        expect(lines.join()).not.toContain("listing");
        expect(await imported(lines)).toEqual({
            lines: 152,
            written: 150,
            skipped: 0,
            rejected: 0,
            errors: [],
            complete: true,
        });
        const requestsBefore = upstream.requests.length;
        await expectHits(to, words(150));
        expect(upstream.requests).toHaveLength(requestsBefore);
        expect(Number(target.command("PTTL", `embedding:${keyOf(lines[1])}`))).toBeGreaterThan(0);
        expect(await newest(to)).toMatchObject({
            kind: "import",
            tenant: "anonymous",
            state: "done",
            progress: { written: 150 },
        });
    });

    test("excludes flagged entries and outdated epochs", async () => {
        await fill(from, words(3));
        const [, first] = await exported(adminOf(from));
        const judgement = { reason: "wrong", actor: "ann" };
        source.command("COPY", `embedding:${keyOf(first)}`, "embedding:saved");
        await adminOf(from)("POST", `/entries/${keyOf(first)}/flag`, judgement);
        source.command("COPY", "embedding:saved", `embedding:${keyOf(first)}`);
        expect(await exported(adminOf(from))).toHaveLength(2 + 2);
        await adminOf(from)("POST", "/epochs", { tenant: "anonymous" });
        expect(await exported(adminOf(from))).toHaveLength(2);
    });

    test("waits for its reader, allows no other transfer, and ends when the reader disconnects", async () => {
        // 16 KB per line: more than fits into the buffers.
        await fill(from, words(1_500), 3_000);
        const asking = request(`${from.adminUrl}/export`, {
            headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
        }).end();
        const [response] = (await once(asking, "response")) as [IncomingMessage];
        await once(response, "readable");
        const seen: unknown[] = [];
        await eventually("it stands still", async () => {
            const { progress } = await newest(from);
            seen.push(JSON.stringify(progress));
            return seen.length > 10 && seen.at(-1) === seen.at(-10);
        });
        expect(await newest(from)).toMatchObject({ kind: "export", state: "running" });
        const { progress } = (await newest(from)) as { progress: { entries: number } };
        expect(progress.entries).toBeLessThan(1_500);
        const second = await adminOf(from)("GET", "/export");
        expectRefusal(second, 409, /^An export is running on this pod/);
        response.destroy();
        await eventually("it has ended", async () => (await newest(from)).state === "cancelled");
        expect((await exported(adminOf(from))).at(-1)).toBe('{"end":1500}');
    });

    test("of a cluster contains the entries of all primaries, and is imported to all of them", async () => {
        const cluster = await startCluster();
        endLater(cluster.stop);
        const mode = { REDIS_MODE: "cluster" };
        const pod = await podOn(cluster.urls[0], mode);
        await fill(pod, words(90));
        const sizes = cluster.primaries.map((one) => Number.parseInt(one.command("DBSIZE")));
        expect(sizes.every((size) => size > 0)).toBe(true);
        const lines = await exported(adminOf(pod));
        await pod.stop();
        for (const one of cluster.primaries) one.command("FLUSHALL");
        const empty = await podOn(cluster.urls[0], mode);
        expect(await imported(lines, empty)).toMatchObject({ written: 90, complete: true });
        await expectHits(empty, words(90));
        await empty.stop();
    });

    test("without Redis, or while it is unavailable, is rejected", async () => {
        const alone = await startService({ ...stubEnvironment(upstream.url), ADMIN_TOKEN });
        for (const answer of [await adminOf(alone)("GET", "/export"), await send(["{}"], alone)]) {
            expectRefusal(answer, 409, { code: "no_redis" });
        }
        await alone.stop();
        source.pause();
        const answer = await adminOf(from)("GET", "/export");
        source.resume();
        expectRefusal(answer, 503, { code: "redis_unavailable" });
    });
});

describe("An import", () => {
    test("is idempotent, and never replaces a newer entry", async () => {
        await fill(from, words(5));
        const lines = await exported(adminOf(from));
        // The same texts, created later.
        await fill(to, words(2));
        const newer = await exported(adminOf(to));
        expect(await imported(lines)).toMatchObject({ written: 3, skipped: 2, rejected: 0 });
        expect(await imported(lines)).toMatchObject({ written: 0, skipped: 5, rejected: 0 });
        expect(await exported(adminOf(to))).toEqual(expect.arrayContaining(newer.slice(0, 3)));
        expect(await imported(newer, from)).toMatchObject({ written: 2, skipped: 0 });
    });

    test("replaces corrupt entries and older forms", async () => {
        await fill(from, words(1));
        const lines = await exported(adminOf(from));
        target.command("SET", `embedding:${keyOf(lines[1])}`, "damaged");
        expect(await imported(lines)).toMatchObject({ written: 1 });
        target.command("SETRANGE", `embedding:${keyOf(lines[1])}`, "0", "\u0001");
        expect(await imported(lines)).toMatchObject({ written: 1 });
        await expectHits(to, words(1));
    });

    test("rejects each invalid entry with its line, and accepts the others", async () => {
        await fill(from, words(6));
        const [head = "", ...rest] = await exported(adminOf(from));
        const [a = "", b = "", c = "", d = "", e = "", f = ""] = rest;
        const end = rest.at(-1) ?? "";
        await adminOf(to)("POST", `/entries/${keyOf(e)}/flag`, { reason: "wrong", actor: "ann" });
        const lines = [
            head,
            a,
            "not json",
            withByte(b, 100),
            JSON.stringify({ key: keyOf(c), entry: entryOf(d).toString("base64") }),
            JSON.stringify({ key: keyOf(d), entry: "AAAA" }),
            JSON.stringify({ key: "short", entry: "AAAA" }),
            e,
            end,
            f,
        ];
        const { errors, ...counts } = await imported(lines);
        expect(counts).toEqual({ lines: 10, written: 1, skipped: 0, rejected: 7, complete: false });
        expect(errors.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 10]);
        expect(errors.map(({ error }) => error)).toEqual([
            expect.stringMatching(/^it is not an entry; allowed/),
            expect.stringMatching(/^its checksum or its vector is invalid/),
            expect.stringMatching(/^its checksum or its vector is invalid/),
            "its entry has another version or is invalid",
            expect.stringMatching(/^it is not an entry; allowed/),
            "it was flagged or deleted",
            "it follows the end marker",
        ]);
        expect(await imported([head, a])).toMatchObject({ skipped: 1, complete: false });
    });

    test("rejects entries with longer lifetimes than allowed here", async () => {
        await fill(from, words(2));
        const brief = await podOn(target.url, { CACHE_TTL: "60" });
        const { rejected, errors } = await imported(await exported(adminOf(from)), brief);
        expect(rejected).toBe(2);
        expect(errors[0]?.error).toBe("its lifetime exceeds this pod's 60 s");
        await brief.stop();
    });

    test("of another model or epoch is rejected with the field", async () => {
        await fill(from, words(2));
        const lines = await exported(adminOf(from));
        const other = await podOn(target.url, { EMBEDDING_MODEL: "another-model" });
        const answer = await send(lines, other);
        expectRefusal(answer, 409, {
            ...{ param: "model", code: "space_mismatch" },
            message:
                'The export\'s model is "stub-model"; allowed: "another-model", the value of this pod',
        });
        await other.stop();
        await adminOf(to)("POST", "/epochs", { tenant: "anonymous" });
        const message = 'The export\'s epoch is "0.0"; allowed: "0.1", the value of this pod';
        expectRefusal(await send(lines), 409, message);
    });

    test("rejects a vector with dimensions that the model does not have", async () => {
        const known = { EMBEDDING_MODEL: "text-embedding-3-small" };
        const pod = await podOn(target.url, known);
        const [head = "", end = ""] = await exported(adminOf(pod));
        const key = "k".repeat(43);
        const [createdAt, freshUntil] = [Date.now(), Date.now() + 60_000];
        const short = createEmbedding(trueVector("x", 8), 1, false, {
            createdAt,
            freshUntil,
            computeMilliseconds: 1,
        });
        const { space } = JSON.parse(head) as { space: string };
        const codec = createEntryCodec({ precision: "float32", buildId: buildIdOf(["test"]) });
        const entry = codec.encode(key, short, space).entry.toString("base64");
        const { errors } = await imported([head, JSON.stringify({ key, entry }), end], pod);
        expect(errors).toEqual([{ line: 2, error: "its vector has 8 dimensions; allowed: 1536" }]);
        await pod.stop();
    });

    test.each([
        [[""], "Line 1 of the upload is invalid: the upload is empty"],
        [["{}"], /^Line 1 .* not the header of an export in the format embedding-cache\/1/],
        [["text"], /^Line 1 .* not the head/],
        [["x".repeat(300_000)], /^Line 1 .*longer than 262144 characters/],
    ])("of an invalid export is rejected: %#", async (lines, expected) => {
        const answer = await send(lines);
        expectRefusal(answer, 400, expected);
        expect(await newest(to)).toMatchObject({ kind: "import", state: "failed" });
    });

    test("of another type is rejected with 415", async () => {
        const answer = await adminOf(to)("POST", "/import", "{}", { "content-type": "text/csv" });
        expect(answer.status).toBe(415);
    });

    test("ends when its client disconnects, keeps what it has stored, and can be repeated", async () => {
        await fill(from, words(200));
        const lines = await exported(adminOf(from));
        const upload = request(`${to.adminUrl}/import`, {
            method: "POST",
            headers: { ...NDJSON, authorization: `Bearer ${ADMIN_TOKEN}` },
        });
        upload.on("error", () => undefined);
        upload.write(`${lines.slice(0, 150).join("\n")}\n`);
        const written = async () =>
            ((await newest(to)).progress as { written?: number } | undefined)?.written;
        await eventually("some are stored", async () => (await written()) === 128);
        upload.destroy();
        await eventually("it has ended", async () => (await newest(to)).state === "cancelled");
        expect(await imported(lines)).toMatchObject({ written: 72, skipped: 128, complete: true });
    });
});

function keyOf(line: string | undefined): string {
    return (JSON.parse(line ?? "") as { key: string }).key;
}

function entryOf(line: string): Buffer {
    return Buffer.from((JSON.parse(line) as { entry: string }).entry, "base64");
}

function withByte(line: string, at: number): string {
    const entry = entryOf(line);
    entry[at] = (entry[at] ?? 0) ^ 1;
    return JSON.stringify({ key: keyOf(line), entry: entry.toString("base64") });
}
