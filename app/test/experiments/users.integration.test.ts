import { hash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
    armOf,
    blockOf,
    HEADERS,
    METRICS,
    parseExperiments,
    PATHS,
    unitOfUser,
    type Arm,
} from "@property-search/contract";
import { pino } from "pino";

import { adminOf, ADMIN_TOKEN, expectRefusal } from "../support/admin.ts";
import { startRedis, type RedisServer } from "../support/redisServer.ts";
import { MODEL, read, startService, stubEnvironment, type Service } from "../support/service.ts";
import { startStubUpstream, type StubUpstream } from "../support/stubUpstream.ts";

const NAME = "enhanced_semantic_clustering";
const EXPERIMENTS = `[{"name": "${NAME}", "unit": "user"}]`;
const [EXPERIMENT] = parseExperiments(EXPERIMENTS);
const TENANTS = ["acme", "other"] as const;
type TenantId = (typeof TENANTS)[number];

const blockOfUser = (user: string, tenant: TenantId = "acme") =>
    blockOf(EXPERIMENT?.salt ?? "", unitOfUser(tenant, user));
const armOfUser = (user: string, tenant: TenantId = "acme") =>
    armOf(EXPERIMENT ?? { percent: NaN }, blockOfUser(user, tenant));
/** Names that nothing else contains. */
const USERS = Array.from({ length: 400 }, (_, at) => `user-zq${at}@example.test`);
const findUser = (matches: (user: string) => boolean): string => {
    const user = USERS.find(matches);
    if (user === undefined) throw new Error("No user has these arms");
    return user;
};
const userOf = (arm: Arm) => findUser((user) => armOfUser(user) === arm);

let folder: string;
let redis: RedisServer;
let upstream: StubUpstream;
let pods: readonly Service[];
let pod: Service;
let texts = 0;
const logged: string[] = [];

beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "users-"));
    [upstream, redis] = await Promise.all([
        startStubUpstream(),
        startRedis(undefined, ["--appendonly", "yes", "--dir", folder]),
    ]);
    const tenantsFile = join(folder, "tenants.json");
    const tenants = TENANTS.map((id) => ({
        id,
        pool: "all",
        keys: [{ sha256: hash("sha256", `key-of-${id}`, "hex") }],
    }));
    await writeFile(tenantsFile, JSON.stringify({ tenants }));
    const environment = {
        ...stubEnvironment(upstream.url, redis.url),
        ADMIN_TOKEN,
        SEMANTIC_MODE: "optIn",
        EXPERIMENTS,
        TENANTS_FILE: tenantsFile,
    };
    const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
    const start = () => startService(environment, { log });
    // Without a model, lookups of similar texts are counted all the same.
    pods = await Promise.all([start(), start()]);
    pod = pods[0] ?? (await start());
    // The dimensions of the upstream are known from the first response on.
    for (const one of pods) await send(one, PATHS.embed, { text: newText() });
});

afterAll(async () => {
    await Promise.all(pods.map((one) => one.stop()));
    await Promise.all([upstream.stop(), redis.kill()]);
    await rm(folder, { recursive: true });
});

const newText = (): string => `text number ${(texts += 1)}`;

async function send(
    service: Service,
    path: string,
    body: object,
    { tenant = "acme", mode }: { readonly tenant?: TenantId; readonly mode?: string } = {},
) {
    return read(
        await fetch(service.url + path, {
            method: "POST",
            headers: {
                authorization: `Bearer key-of-${tenant}`,
                ...(mode !== undefined && { [HEADERS.cacheMode]: mode }),
            },
            body: JSON.stringify(body),
        }),
    );
}

/** Sum of the series of a pod whose labels contain all of these. */
async function sumOf(service: Service, metric: string, ...labels: readonly string[]) {
    const { text } = await service.get(PATHS.metrics);
    return text
        .split("\n")
        .filter(
            (line) => line.startsWith(`${metric}{`) && labels.every((one) => line.includes(one)),
        )
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

const lookupsOf = (service: Service, user: string, tenant: TenantId = "acme") =>
    sumOf(
        service,
        METRICS.experimentLookups,
        `experiment="${NAME}"`,
        'unit="user"',
        `arm="${armOfUser(user, tenant)}"`,
        `block="${blockOfUser(user, tenant)}"`,
    );
const allLookups = (service: Service) => sumOf(service, METRICS.experimentLookups);
const outside = (service: Service, reason: string) =>
    sumOf(service, METRICS.experimentOutside, `reason="${reason}"`);
const semanticLookups = (service: Service) => sumOf(service, METRICS.semanticLookups);

const REQUESTS: readonly (readonly [string, string, () => object, number])[] = [
    ["a text", PATHS.embed, () => ({ text: newText() }), 1],
    ["a batch", PATHS.embed, () => ({ texts: [newText(), newText(), newText()] }), 3],
    ["an input", PATHS.embeddings, () => ({ model: MODEL, input: newText() }), 1],
    ["a batch", PATHS.embeddings, () => ({ model: MODEL, input: [newText(), newText()] }), 2],
    [
        "a large body",
        PATHS.embeddings,
        () => ({ model: MODEL, input: Array.from({ length: 40 }, () => newText().padEnd(2_000)) }),
        40,
    ],
    [
        "an input",
        `${PATHS.azureDeployments}/${MODEL}/embeddings?api-version=1`,
        () => ({ input: newText() }),
        1,
    ],
];

describe.each(REQUESTS)("%s of a request to %s", (_, path, createBody, items) => {
    test.each(["treatment", "control"] as const)(
        "is counted in the block of its user, and looked up for similar texts by the arm: %s",
        async (arm) => {
            const user = userOf(arm);
            const read = async () => [await lookupsOf(pod, user), await semanticLookups(pod)];
            const [lookups = NaN, similar = NaN] = await read();
            expect((await send(pod, path, { ...createBody(), user })).status).toBe(200);
            const [after = NaN, similarAfter = NaN] = await read();
            expect(after - lookups).toBe(items);
            expect(similarAfter - similar).toBe(arm === "treatment" ? items : 0);
        },
    );

    test.each([
        ["no user", {}],
        ["null", { user: null }],
        ["an empty user", { user: "" }],
        ["a blank user", { user: " \t" }],
    ])("with %s is in no arm, and counted as such", async (_name, user) => {
        const read = async () => [
            await outside(pod, "no_user"),
            await allLookups(pod),
            await semanticLookups(pod),
        ];
        const [before = NaN, ...others] = await read();
        expect((await send(pod, path, { ...createBody(), ...user })).status).toBe(200);
        expect(await read()).toEqual([before + items, ...others]);
    });

    test("with a header for the mode is in no arm", async () => {
        const user = userOf("control");
        const [named, all] = [await outside(pod, "mode_named"), await allLookups(pod)];
        const body = { ...createBody(), user };
        expect((await send(pod, path, body, { mode: "semantic" })).status).toBe(200);
        expect(await outside(pod, "mode_named")).toBe(named + items);
        expect(await allLookups(pod)).toBe(all);
    });

    test.each([
        ["a number", 1],
        ["a list", ["ann"]],
        ["513 characters", "x".repeat(513)],
    ])("with %s as the user is a 400 that names what is allowed", async (_name, user) => {
        const answer = await send(pod, path, { ...createBody(), user });
        expectRefusal(answer, 400, "user must be a string of at most 512 characters");
    });
});

test("all pods assign a user alike, and all requests of a user have one arm", async () => {
    for (const user of USERS.slice(0, 30))
        for (const one of pods) {
            const before = await lookupsOf(one, user);
            await send(one, PATHS.embed, { text: newText(), user });
            await send(one, PATHS.embed, { text: "the same text", user });
            expect(await lookupsOf(one, user)).toBe(before + 2);
        }
});

test("the same name is another user with another tenant, even in one pool", async () => {
    const user = findUser(
        (one) => armOfUser(one) === "control" && armOfUser(one, "other") === "treatment",
    );
    for (const tenant of TENANTS) {
        const before = await lookupsOf(pod, user, tenant);
        const similar = await semanticLookups(pod);
        await send(pod, PATHS.embed, { text: newText(), user }, { tenant });
        expect(await lookupsOf(pod, user, tenant)).toBe(before + 1);
        expect((await semanticLookups(pod)) - similar).toBe(tenant === "other" ? 1 : 0);
    }
});

test("arms share the entries of a text", async () => {
    const text = newText();
    const of = async (arm: Arm) =>
        (await send(pod, PATHS.embed, { text, user: userOf(arm) })).headers.get(HEADERS.cache);
    expect([await of("control"), await of("treatment"), await of("control")]).toEqual([
        "MISS",
        "HIT-L1",
        "HIT-L1",
    ]);
});

test("verdicts are counted in the block of their user, and in none without one", async () => {
    const user = userOf("treatment");
    const count = (verdict: string) =>
        sumOf(
            pod,
            METRICS.experimentVerdicts,
            `arm="treatment",block="${blockOfUser(user)}",verdict="${verdict}"`,
        );
    const all = () => sumOf(pod, METRICS.experimentVerdicts);
    const before = [await count("relevant"), await count("irrelevant"), await all()] as const;
    const verdicts = [
        { verdict: "relevant", user },
        { verdict: "irrelevant", user },
        { verdict: "irrelevant", user },
        { verdict: "relevant" },
        { verdict: "relevant", user: " " },
    ];
    for (const one of verdicts) expect((await send(pod, PATHS.feedback, one)).status).toBe(204);
    expect(await count("relevant")).toBe(before[0] + 1);
    expect(await count("irrelevant")).toBe(before[1] + 2);
    expect(await all()).toBe(before[2] + 3);
    // The longest user of a request, in the most bytes.
    const longest = { verdict: "relevant", user: "\u{1f600}".repeat(256) };
    expect((await send(pod, PATHS.feedback, longest)).status).toBe(204);
    const escaped = JSON.stringify(longest).replaceAll(
        /[^\x20-\x7e]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    expect((await send(pod, PATHS.feedback, JSON.parse(escaped) as object)).status).toBe(204);
    const tooLong = await send(pod, PATHS.feedback, { ...longest, user: "x".repeat(513) });
    expectRefusal(tooLong, 400, "user must be a string of at most 512 characters");
});

describe("the admin port", () => {
    test("lists the experiments", async () => {
        const { status, json } = await adminOf(pod)("GET", "/experiments");
        expect([status, json]).toEqual([200, [EXPERIMENT]]);
    });

    test("returns the arm of a user", async () => {
        for (const tenant of TENANTS)
            for (const user of USERS.slice(0, 20)) {
                const question = { name: NAME, tenant, user };
                const { json } = await adminOf(pod)("POST", "/experiments/assign", question);
                const arm = armOfUser(user, tenant);
                expect(json).toEqual({
                    ...{ block: blockOfUser(user, tenant), arm },
                    value: arm === "treatment" ? "semantic" : "exact",
                });
            }
    });

    test.each([
        [{ name: "none", user: "ann" }, 404, /name is "none"; allowed: an experiment with unit/],
        [{ name: NAME }, 400, /user is missing or blank; allowed: a text/],
        [{ name: NAME, user: 7 }, 400, /user must be a string of at most 512 characters/],
    ])("rejects %p", async (question, status, message) => {
        const answer = await adminOf(pod)("POST", "/experiments/assign", question);
        expectRefusal(answer, status, message);
    });
});

test("no user is logged, exported, stored in Redis or sent upstream", async () => {
    const name = /user-zq\d+@example/;
    const metrics = await Promise.all(pods.map((one) => one.get(PATHS.metrics)));
    const folders = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
        (one) => one.isFile() && one.name.includes(".aof"),
    );
    const written = await Promise.all(
        folders.map((one) => readFile(join(one.parentPath, one.name), "latin1")),
    );
    // What would be searched in vain is known to be there.
    expect(written.join("\n")).toContain("embedding:");
    expect(logged.length).toBeGreaterThan(0);
    expect(upstream.requests.length).toBeGreaterThan(0);
    for (const all of [
        logged.join("\n"),
        metrics.map(({ text }) => text).join("\n"),
        written.join("\n"),
        JSON.stringify([upstream.requests, upstream.headers, upstream.targets]),
    ])
        expect(all).not.toMatch(name);
});
