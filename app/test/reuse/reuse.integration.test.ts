import { hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { HEADERS, METRICS, PATHS } from "@property-search/contract";

import { adminOf, ADMIN_TOKEN, expectRefusal } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { modelDirectory } from "../support/model.ts";
import { MODEL, read, startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";
import { fromBase64 } from "../support/vectors.ts";
import { DIMENSIONS, SUBJECTS, TEXTS, vectorOf } from "../support/wordings.ts";

function cosine(a: Float32Array, b: Float32Array): number {
    return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}

let pod: Service;

// Before those that it uses.
afterAll(() => pod.stop());

function environment(more: Record<string, string> = {}) {
    return {
        ...stubEnvironment(upstream.url, redis.url),
        MODEL_DIR: modelDirectory(),
        ADMIN_TOKEN,
        SEMANTIC_MODE: "optIn",
        SEMANTIC_ERROR_BUDGET: "0.05",
        ...more,
    };
}

/** Beside other tests, a lookup may take longer than 50 ms. */
const startPod = (own: Record<string, string>) =>
    startService(own, { timing: { lookupMilliseconds: 10_000 } });

interface PostOptions {
    /** Default: semantic. */
    readonly mode?: string | undefined;
    readonly encoding?: "float" | "base64";
    readonly tenant?: string;
}

async function post(service: Service, input: unknown, options: PostOptions = {}) {
    const { mode, encoding = "base64", tenant } = { mode: "semantic", ...options };
    const response = await fetch(service.url + PATHS.embeddings, {
        method: "POST",
        headers: {
            ...(mode !== undefined && { [HEADERS.cacheMode]: mode }),
            ...(tenant !== undefined && { authorization: `Bearer key-of-${tenant}` }),
        },
        body: JSON.stringify({ model: MODEL, input, encoding_format: encoding }),
    });
    return read(response);
}

type Answer = Awaited<ReturnType<typeof post>>;

const sourceOf = ({ headers }: Answer): string | null => headers.get(HEADERS.cache);
const boundOf = ({ headers }: Answer): number => Number(headers.get(HEADERS.errorBound));
const vectorsOf = ({ json }: Answer): readonly Float32Array[] =>
    (json as { data: { embedding: string | number[] }[] }).data.map(({ embedding }) =>
        typeof embedding === "string" ? fromBase64(embedding) : Float32Array.from(embedding),
    );

async function stateOf(service: Service, tenant = "anonymous") {
    const { json } = await adminOf(service)("GET", "/semantic");
    const state = json as {
        offReason: string | null;
        namespaces: ({ tenant: string; state: string } & Record<string, number>)[];
    };
    return { ...state, own: state.namespaces.find((one) => one.tenant === tenant) };
}

async function isUp(service: Service): Promise<void> {
    await eventually(
        "the model is loaded",
        async () => (await stateOf(service)).offReason === null,
    );
}

/** Sends new texts until one is answered from others. @returns the answer, and the texts that were sent */
async function sendUntilServed(
    service: Service,
    texts: readonly string[],
    options: PostOptions = {},
) {
    for (const [at, text] of texts.entries()) {
        const answer = await post(service, text, options);
        expect(answer.status).toBe(200);
        if (sourceOf(answer) === "SEMANTIC") return { answer, text, sent: texts.slice(0, at + 1) };
    }
    throw new Error(`None of ${texts.length} texts was answered from others`);
}

const upstream = setUpUpstream({ dimensions: DIMENSIONS, vectorOf });
const redis = setUpRedis();

beforeAll(async () => {
    pod = await startPod(environment());
    await isUp(pod);
    // The dimensions of the upstream are known from the first response on.
    await post(pod, "the first text", { mode: undefined });
});

describe("with a real model and Redis", () => {
    let served: Awaited<ReturnType<typeof sendUntilServed>>;

    test("similar texts are answered once the labels show that the error is small", async () => {
        const before = upstream.requests.length;
        served = await sendUntilServed(pod, TEXTS);
        const paid = upstream.requests.length - before;
        expect(paid).toBe(served.sent.length - 1);
        const [vector = new Float32Array()] = vectorsOf(served.answer);
        expect(cosine(vector, vectorOf(served.text))).toBeGreaterThan(0.9);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
        const similarity = Number(served.answer.headers.get(HEADERS.similarity));
        expect(similarity).toBeGreaterThan(0.5);
        expect(similarity).toBeLessThanOrEqual(1);
        expect(boundOf(served.answer)).toBeGreaterThan(0);
        expect(boundOf(served.answer)).toBeLessThanOrEqual(1);
    });

    test("the bound falls below 1 once there are enough audits", async () => {
        let bound = 1;
        for (const text of TEXTS.slice(served.sent.length)) {
            const answer = await post(pod, text);
            if (sourceOf(answer) === "SEMANTIC") bound = boundOf(answer);
            if (bound < 1) break;
        }
        expect(bound).toBeGreaterThan(0);
        expect(bound).toBeLessThan(1);
        await eventually("the state has these audits", async () => {
            const { own } = await stateOf(pod);
            // With fewer, no bound below 1 has a confidence of 0.95.
            return (own?.labelled ?? 0) >= 4;
        });
    });

    test("floats and base64 have the same vector, and usage counts it as cached", async () => {
        const answers = await Promise.all(
            (["float", "base64"] as const).map((encoding) => post(pod, served.text, { encoding })),
        );
        const semantic = answers.filter((one) => sourceOf(one) === "SEMANTIC");
        for (const one of semantic) {
            const { usage } = one.json as {
                usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
            };
            expect(usage.prompt_tokens).toBeGreaterThan(0);
            expect(usage.prompt_tokens_details.cached_tokens).toBe(usage.prompt_tokens);
        }
        if (semantic.length === 2) {
            const [a, b] = semantic.map((one) => vectorsOf(one)[0] ?? new Float32Array());
            expect(cosine(a ?? new Float32Array(), b ?? new Float32Array())).toBeCloseTo(1, 5);
        }
    });

    test("a request in exact mode gets the upstream's own vector of the same text", async () => {
        for (const mode of [undefined, "exact"]) {
            const answer = await post(pod, served.text, { mode });
            expect(sourceOf(answer)).not.toBe("SEMANTIC");
            expect(answer.headers.get(HEADERS.similarity)).toBeNull();
            expect(vectorsOf(answer)[0]).toEqual(vectorOf(served.text));
        }
        // From now on, an exact entry answers it.
        expect(sourceOf(await post(pod, served.text))).toBe("HIT-L1");
    });

    test("a request with several texts names each source, and the lowest similarity", async () => {
        const [known = "", ...fresh] = [
            served.sent[0],
            ...SUBJECTS.slice(0, 3).map((subject) => `hello, ${subject} tonight`),
        ];
        const answer = await post(pod, [known, ...fresh]);
        expect(answer.status).toBe(200);
        const sources = sourceOf(answer)?.split(", ") ?? [];
        expect(sources).toContain("HIT-L1");
        vectorsOf(answer).forEach((vector, at) => {
            expect(cosine(vector, vectorOf([known, ...fresh][at] ?? ""))).toBeGreaterThan(0.9);
        });
    });

    test("a text that contradicts its neighbours is sent upstream", async () => {
        for (const text of [
            `no ${SUBJECTS[0] ?? ""}`,
            `${SUBJECTS[0] ?? ""} for 3 people`,
            `${SUBJECTS[1] ?? ""} in brixton`,
        ]) {
            // A lookup would also end in MISS if it took longer than 50 ms.
            const { json } = await adminOf(pod)("POST", "/semantic/inspect", { input: text });
            const { neighbours } = json as { neighbours: { veto: string | null }[] };
            expect(neighbours[0]?.veto).toEqual(expect.any(String));
            expect(sourceOf(await post(pod, text))).toBe("MISS");
        }
    });

    test("long texts, many texts and token IDs are resolved as in exact mode", async () => {
        const refused = async () =>
            pod.metric(`${METRICS.semanticLookups}{outcome="not_applicable"}`);
        const before = await refused();
        const long = "garden ".repeat(100).trim();
        const many = Array.from({ length: 2_048 }, (_, at) => `text ${at}`);
        for (const input of [long, many, [1, 2, 3]]) {
            const answer = await post(pod, input);
            expect(answer.status).toBe(200);
            expect(answer.headers.get(HEADERS.similarity)).toBeNull();
        }
        expect(await refused()).toBe(before + 1 + 2_048 + 1);
        const large = await post(pod, "x".repeat(8 * 1024 * 1024 - 200));
        expect([200, 400]).toContain(large.status);
    });

    test.each(["semantics", "yes", "exact, semantic"])(
        "the header %p is a 400 that names the allowed values",
        async (mode) => {
            expectRefusal(await post(pod, "any", { mode }), 400, /allowed: exact, semantic/);
        },
    );

    test("savings and audits are in the ledger, and the state in the metrics", async () => {
        const labels = `tenant="anonymous",model="${MODEL}"`;
        expect(
            await pod.metric(`${METRICS.tokensSaved}{${labels},result="semantic"}`),
        ).toBeGreaterThan(0);
        expect(
            await pod.metric(`${METRICS.tokensBilled}{${labels},purpose="audit"}`),
        ).toBeGreaterThanOrEqual(0);
        expect(await pod.metric(`${METRICS.lookups}{result="semantic"}`)).toBeGreaterThan(0);
        expect(await pod.metric(METRICS.semanticUp)).toBe(1);
        await eventually("the gauge shows that it serves", async () => {
            const own = `tenant="anonymous",dimensions="${DIMENSIONS}"`;
            return (await pod.metric(`${METRICS.semanticServing}{${own}}`)) === 1;
        });
    });
});

describe("the admin port", () => {
    test("shows the state of each tenant, and the neighbours of a text with their vetoes", async () => {
        const admin = adminOf(pod);
        await eventually("it serves", async () => (await stateOf(pod)).own?.state === "serving");
        const { own } = await stateOf(pod);
        expect(own).toMatchObject({ reason: null });
        expect(own?.entries).toBeGreaterThan(50);
        const inspected = await admin("POST", "/semantic/inspect", {
            input: `no ${SUBJECTS[0] ?? ""}, thank you`,
        });
        expect(inspected.status).toBe(200);
        const { neighbours } = inspected.json as { neighbours: { veto: string; key: string }[] };
        expect(neighbours).toHaveLength(16);
        expect(neighbours[0]?.veto).toBe("negation");
        expect(inspected.text).not.toContain(SUBJECTS[0]);
    });

    test("rejects inspecting a text that would not be looked up, or in a namespace without texts", async () => {
        const admin = adminOf(pod);
        const refusals = [
            [{ input: "a".repeat(257) }, 400, /input has 257 characters; allowed: at most 256/],
            [{ input: [1, 2, 3] }, 400, /input is a list of token IDs; allowed: one text/],
            [
                { input: "東".repeat(256) },
                400,
                /too many tokens of the local model; allowed: at most/,
            ],
            [{ input: "a", tenant: "ghost" }, 404, /tenant is "ghost"/],
            [{ input: "a", dimensions: 63 }, 404, /dimensions is 63/],
            [{ input: "a", dimensions: 1e9 }, 404, /dimensions is 1000000000/],
        ] as const;
        for (const [body, status, message] of refusals) {
            expectRefusal(await admin("POST", "/semantic/inspect", body), status, message);
        }
        expect((await stateOf(pod)).namespaces).toHaveLength(1);
    });

    test("a flagged text is not answered from others, and a deleted one is no neighbour", async () => {
        const admin = adminOf(pod);
        const text = `hi, ${SUBJECTS[4] ?? ""} soon`;
        const inspect = async () =>
            (await admin("POST", "/semantic/inspect", { input: text })).json as {
                key: string;
                flagged: boolean;
                neighbours: { key: string }[];
            };
        const { key, neighbours } = await inspect();
        const nearest = neighbours[0]?.key ?? "";
        expect((await admin("DELETE", `/entries/${nearest}`)).status).toBe(200);
        expect((await inspect()).neighbours.map((one) => one.key)).not.toContain(nearest);
        const stored = redis.command("--scan", "--pattern", "embedding:{semantic:*}:texts").trim();
        expect(redis.command("HEXISTS", stored, nearest).trim()).toBe("0");
        const flag = { reason: "wrong answer", actor: "ann" };
        expect((await admin("POST", `/entries/${key}/flag`, flag)).status).toBe(200);
        expect((await inspect()).flagged).toBe(true);
        const before = await pod.metric(`${METRICS.semanticLookups}{outcome="flagged"}`);
        expect(sourceOf(await post(pod, text))).toBe("MISS");
        expect(await pod.metric(`${METRICS.semanticLookups}{outcome="flagged"}`)).toBe(before + 1);
    });

    test("concept rules are replaced at run time, for all pods, and wrong ones are refused", async () => {
        const admin = adminOf(pod);
        const current = (await admin("GET", "/semantic/rules")).json as {
            rules: { version: number; places: string[] };
        };
        expect(current.rules.version).toBe(1);
        const rules = {
            ...current.rules,
            version: 2,
            places: [...current.rules.places, "atlantis"],
        };
        const wrong = await admin("PUT", "/semantic/rules", {
            actor: "ann",
            rules: { ...rules, synonyms: [["flat"]] },
        });
        expectRefusal(wrong, 400, /rules\.synonyms\.0/);
        const old = await admin("PUT", "/semantic/rules", { actor: "ann", rules: current.rules });
        expectRefusal(old, 409, "rules.version is 1; allowed: 2, which follows the current one");
        const other = await startPod(environment());
        try {
            const replaced = await admin("PUT", "/semantic/rules", { actor: "ann", rules });
            expect(replaced.status).toBe(200);
            await eventually("the other pod follows", async () => {
                const { json } = await adminOf(other)("GET", "/semantic/rules");
                return (json as typeof current).rules.version === 2;
            });
        } finally {
            await other.stop();
        }
        expect(sourceOf(await post(pod, `${SUBJECTS[2] ?? ""} in atlantis`))).toBe("MISS");
    });
});

describe("texts in Redis", () => {
    test("are encrypted, and another pod continues with them", async () => {
        const key = redis.command("--scan", "--pattern", "embedding:{semantic:*}:texts").trim();
        expect(redis.command("HGETALL", key)).not.toContain("pharmacy");
        expect(Number(redis.command("TTL", key))).toBeGreaterThan(0);
        const count = Number(redis.command("HLEN", key));
        // It has another build than the pod, whose decisions are no evidence about its own.
        const other = await startPod(environment({ VERSION: "another" }));
        try {
            await isUp(other);
            // The first response of the upstream has the dimensions of the model.
            await post(other, "a text of the new pod");
            await post(other, "another text of the new pod");
            await eventually(
                "it knows the texts",
                async () => ((await stateOf(other)).own?.entries ?? 0) >= count - 5,
            );
            // Its budget starts closed.
            expect((await stateOf(other)).own).toMatchObject({ state: "learning", served: 0 });
        } finally {
            await other.stop();
        }
    });

    test("are used by a pod that restarts, with the labels of its build", async () => {
        const { own: before } = await stateOf(pod);
        expect(before?.state).toBe("serving");
        await pod.stop();
        pod = await startPod(environment());
        await isUp(pod);
        await post(pod, "a text after the restart");
        await post(pod, "another text after the restart");
        await eventually("it serves", async () => (await stateOf(pod)).own?.state === "serving");
        const { own } = await stateOf(pod);
        expect(own?.served).toBe(0);
        expect(own?.labelled).toBeGreaterThan(0);
        const states = (): string =>
            redis.command("--scan", "--pattern", "embedding:{semantic:*}:states").trim();
        expect(Number(redis.command("TTL", states()))).toBeGreaterThan(0);
    });

    test("are removed with the entries of their tenant", async () => {
        const texts = (): string =>
            redis.command("--scan", "--pattern", "embedding:{semantic:*}:*").trim();
        expect(texts()).not.toBe("");
        expect((await adminOf(pod)("POST", "/epochs", { tenant: "anonymous" })).status).toBe(200);
        await eventually("Redis has no texts", () => texts() === "");
        await eventually("the pod has none", async () => (await stateOf(pod)).own === undefined);
        expect(sourceOf(await post(pod, TEXTS[0]))).toBe("MISS");
    });
});

test("a tenant's key turns semantic mode on for it alone, and tenants share nothing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tenants-"));
    const file = join(folder, "tenants.json");
    const tenantOf = (id: string, more: object = {}) => ({
        id,
        keys: [{ sha256: hash("sha256", `key-of-${id}`, "hex") }],
        ...more,
    });
    const tenants = [tenantOf("search", { cacheMode: "semantic" }), tenantOf("bulk")];
    await writeFile(file, JSON.stringify({ tenants }));
    const service = await startPod(environment({ TENANTS_FILE: file }));
    try {
        await isUp(service);
        await post(service, "the first text", { tenant: "search", mode: undefined });
        const search = { tenant: "search", mode: undefined };
        const { text } = await sendUntilServed(service, TEXTS, search);
        const exact = await post(service, text, { tenant: "search", mode: "exact" });
        expect(sourceOf(exact)).toBe("MISS");
        expect(sourceOf(await post(service, text, { tenant: "bulk", mode: undefined }))).toBe(
            "MISS",
        );
        const other = `hello, ${text}`;
        expect(sourceOf(await post(service, other, { tenant: "bulk" }))).toBe("MISS");
        await eventually("both have a state", async () => {
            const { namespaces } = await stateOf(service);
            return namespaces.length === 2;
        });
        const { own } = await stateOf(service, "bulk");
        expect(own).toMatchObject({ state: "learning", served: 0 });
        expect(own?.entries).toBeLessThanOrEqual(2);
    } finally {
        await service.stop();
        await rm(folder, { recursive: true });
    }
});

test("while semantic mode is off, the header is ignored and there is no thread", async () => {
    const off = await startPod(environment({ SEMANTIC_MODE: "off" }));
    try {
        expect((await post(off, "a text", { mode: "nonsense" })).status).toBe(200);
        const { status, json } = await adminOf(off)("GET", "/semantic");
        expect([status, json]).toMatchObject([409, { error: { code: "semantic_off" } }]);
        expect((await off.get(PATHS.metrics)).text).not.toContain(METRICS.semanticUp);
    } finally {
        await off.stop();
    }
});

test.each([
    ["no model: MODEL_DIR is not set", { MODEL_DIR: "" }],
    ["no model: /nowhere/model.onnx does not exist", { MODEL_DIR: "/nowhere" }],
])("without a model it is off and says so: %s", async (reason, more) => {
    const without = await startPod(environment(more));
    try {
        const answer = await post(without, `a text, ${reason}`);
        expect([answer.status, sourceOf(answer)]).toEqual([200, "MISS"]);
        expect((await stateOf(without)).offReason).toBe(reason);
        expect(await without.metric(METRICS.semanticUp)).toBe(0);
    } finally {
        await without.stop();
    }
});

test("without Redis, texts are answered all the same", async () => {
    await redis.kill();
    const { answer } = await sendUntilServed(pod, TEXTS);
    expect(answer.status).toBe(200);
});
