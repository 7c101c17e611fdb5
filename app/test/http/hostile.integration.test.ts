import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as wait } from "node:timers/promises";

import { beforeAll, describe, expect, test } from "@jest/globals";
import { HEADERS, METRICS, PATHS } from "@property-search/contract";
import fc from "fast-check";

import { setUp } from "../../../tests/support/setUp.ts";
import { MAX_BODY_BYTES } from "../../src/http/protocol/requestBody.ts";
import { normaliseText } from "../../src/key/normalise.ts";
import { slowness } from "../support/cpu.ts";
import { modelDirectory } from "../support/model.ts";
import { killPods, startPod, type Pod } from "../support/pod.ts";
import { stubEnvironment } from "../support/service.ts";
import { setUpService, setUpUpstream } from "../support/setUp.ts";
import { fromBase64, trueVector } from "../support/vectors.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

/** A model with a known vocabulary and 1,536 dimensions. */
const MODEL = "text-embedding-3-small";
const DIMENSIONS = 1536;
const PROBE = pathToFileURL(join(import.meta.dirname, "../support/turnProbe.mjs")).href;
const MOST_MILLISECONDS = 50;

const PROBED = { NODE_OPTIONS: `--import ${PROBE}` };

const upstream = setUpUpstream({ dimensions: DIMENSIONS });

const known = setUp(
    () => startPod({ ...stubEnvironment(upstream.url), EMBEDDING_MODEL: MODEL, ...PROBED }),
    killPods,
);

beforeAll(async () => {
    // Code is slow on its first run.
    await ask(known, PATHS.embed, { texts: Array.from({ length: 300 }, (_, n) => `${n}`) });
    await ask(known, PATHS.embed, { text: "a b ".repeat(100_000) });
});

interface Answer {
    readonly status: number;
    readonly headers: Headers;
    readonly json: unknown;
}

async function ask(pod: { readonly url: string }, path: string, body: unknown): Promise<Answer> {
    const sent = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(pod.url + path, { method: "POST", body: sent });
    return { status: answer.status, headers: answer.headers, json: await answer.json() };
}

/** @returns CPU milliseconds of the longest turn since the last call */
async function longestTurn(pod: Pod): Promise<number> {
    const printed = new Promise<number>((resolve) => {
        const listen = (data: Buffer): void => {
            const found = /longest turn: ([\d.]+) ms/.exec(data.toString());
            if (!found) return;
            pod.process.stdout?.off("data", listen);
            resolve(Number(found[1]));
        };
        pod.process.stdout?.on("data", listen);
    });
    pod.process.kill("SIGUSR2");
    return printed;
}

/** The maximum size in `make test-all`; in `make test` a tenth of it, which is parsed in the thread, too. */
const SPACE = propertyRuns(MAX_BODY_BYTES - 100).numRuns;
const repeated = (unit: string): string => unit.repeat(SPACE / Buffer.byteLength(unit));
const json = (text: string): string => JSON.stringify({ text });

const BODIES: readonly (readonly [name: string, body: string])[] = [
    ["a text of alternating marks", json(`a${repeated("\u0315\u0300")}`)],
    ["a text of runs of marks", json(repeated(`a${"\u0301".repeat(31)}`))],
    ["a text of blanks", json(`a${repeated("\u3000")}b`)],
    ["a text of short lines", json(repeated("a\u3000"))],
    ["a text of words", json(repeated("two rooms near the station ").trim())],
    ["one word", json(repeated("a"))],
    ["dots", json(repeated("."))],
    ["ideographs", json(repeated("房"))],
    ["houses", json(repeated("🏠"))],
    ["escapes", `{"text":"${repeated("\\u00e9")}"}`],
    ["empty objects", `{"texts":[${repeated("{},").slice(0, -1)}]}`],
    ["empty texts", `{"texts":[${repeated('"",').slice(0, -1)}]}`],
    ["lists in lists", `{"texts":${"[".repeat(SPACE / 2)}${"]".repeat(SPACE / 2)}}`],
    ["fields", `{${repeated('"a":0,')}"text":"a"}`],
    [
        "many texts",
        JSON.stringify({ texts: Array(2_048).fill("two rooms ".repeat(SPACE / 21_000)) }),
    ],
    ["no JSON", repeated("{")],
    ["an open text", `{"text":"${repeated("a")}`],
];

describe("A pod that counts tokens of the upstream", () => {
    test.each(BODIES)(
        "holds its event loop no longer than 50 ms for a body of %s",
        async (_, body) => {
            let turn = Infinity;
            // A garbage collection may fall into one of them.
            for (let round = 0; round < 3 && turn > MOST_MILLISECONDS; round += 1) {
                await longestTurn(known);
                const response = ask(known, PATHS.embed, body);
                const short = await ask(known, PATHS.embed, {
                    text: `another client ${Math.random()}`,
                });
                expect(short.status).toBe(200);
                expect([200, 400]).toContain((await response).status);
                turn = (await longestTurn(known)) / slowness();
            }
            expect(turn).toBeLessThanOrEqual(MOST_MILLISECONDS);
            expect(known.process.exitCode).toBeNull();
        },
    );

    test("blocks its event loop for at most 50 ms for 2,048 misses, in both encodings", async () => {
        for (const format of ["base64", "float"]) {
            let turn = Infinity;
            for (let round = 0; round < 3 && turn > MOST_MILLISECONDS; round += 1) {
                const input = Array.from({ length: 2_048 }, (_, n) => `${format} ${round} ${n}`);
                await longestTurn(known);
                const body = { model: MODEL, input, encoding_format: format };
                expect((await ask(known, PATHS.embeddings, body)).status).toBe(200);
                turn = (await longestTurn(known)) / slowness();
            }
            expect({ format, turn }).toEqual({ format, turn: Math.min(turn, MOST_MILLISECONDS) });
        }
    });

    test("returns each text of any characters, including special tokens, its own vector", async () => {
        const part = fc.oneof(
            fc.constantFrom("<|endoftext|>", "<|fim_prefix|>", "<|endofprompt|>", "<|im_start|>"),
            fc.constantFrom("<|", "|>", "endoftext", " ", "[SEP]", "\u0000", "\ud800", "\u0301"),
            fc.string({ unit: "binary", maxLength: 20 }),
            fc.string({ unit: "grapheme", maxLength: 20 }),
        );
        const text = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));
        const { numRuns, seed } = propertyRuns(2_000);
        const batches = fc
            .sample(fc.array(text, { minLength: 1, maxLength: 12 }), { numRuns, seed })
            .map((texts) => texts.filter((one) => normaliseText(one) !== ""))
            .filter((texts) => texts.length > 0);
        let wrong = 0;
        let at = 0;
        // A few at a time, so that calls are batched.
        const client = async (): Promise<void> => {
            for (let input = batches[at++]; input; input = batches[at++]) {
                const body = { model: MODEL, input, encoding_format: "base64" };
                const { status, json: answer } = await ask(known, PATHS.embeddings, body);
                const { data } = answer as { data?: readonly { embedding: string }[] };
                if (status !== 200) throw new Error(`${status} for ${JSON.stringify(input)}`);
                input.forEach((one, place) => {
                    const vector = fromBase64(data?.[place]?.embedding ?? "");
                    const expected = trueVector(normaliseText(one), DIMENSIONS);
                    if (Buffer.compare(bytesOf(vector), bytesOf(expected)) !== 0) wrong += 1;
                });
            }
        };
        await Promise.all(Array.from({ length: 8 }, client));
        expect(wrong).toBe(0);
        expect(known.process.exitCode).toBeNull();
    }, 300_000);
});

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
    return new Uint8Array(buffer, byteOffset, byteLength);
}

describe("A service that has the model", () => {
    const local = setUpService(() => ({
        EMBEDDING_PROVIDER: "local",
        MODEL_DIR: modelDirectory(),
    }));

    test("reports truncated texts by header and counter", async () => {
        const start = "garden terrace balcony kitchen ".repeat(120);
        const input = [`${start}with a lift`, `${start}without one`, "short"];
        const metric = () => local.metric(METRICS.truncated);
        const before = await metric();
        const body = { model: "all-MiniLM-L6-v2", input };
        const miss = await ask(local, PATHS.embeddings, body);
        const hit = await ask(local, PATHS.embeddings, body);
        const short = await ask(local, PATHS.embeddings, { ...body, input: "short" });
        const answers = [miss, hit, short];
        expect(answers.map(({ headers }) => headers.get(HEADERS.truncated))).toEqual([
            "2",
            "2",
            null,
        ]);
        expect(await metric()).toBe(before + 4);
    });

    test("serves others while texts of many words wait", async () => {
        const words = `${"x".repeat(99)} `.repeat(4_000);
        const long = Array.from({ length: 4 }, (_, n) =>
            ask(local, PATHS.embed, { text: `${n} ${words}` }),
        );
        await wait(100);
        const short = await ask(local, PATHS.embed, { text: "a short miss" });
        expect(short.status).toBe(200);
        const rejection = { status: 400, json: { error: { code: "context_length_exceeded" } } };
        for (const answer of await Promise.all(long)) expect(answer).toMatchObject(rejection);
    });
});
