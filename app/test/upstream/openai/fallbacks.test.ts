import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createOpenaiUpstream } from "../../../src/upstream/openai/openai.ts";
import type { Upstream } from "../../../src/upstream/upstream.ts";
import type { Embedding } from "../../../src/vector/embedding.ts";
import { embedAll } from "../../support/embedAll.ts";
import { eventually } from "../../support/eventually.ts";
import {
    reply,
    rightAnswer,
    startStubUpstream,
    type StubUpstream,
    type Turn,
} from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import { trueVector } from "../../support/vectors.ts";
import { always, inputs, log, stub, texts, useStubUpstream } from "../../support/openaiUpstream.ts";

useStubUpstream();

describe("a fallback", () => {
    let other: StubUpstream;
    let both: Upstream;

    beforeEach(async () => {
        other = await startStubUpstream();
        both = createOpenaiUpstream({
            url: stub.url,
            fallbacks: [{ url: other.url, apiKey: "another key" }],
            apiKey: "a-key",
            model: "stub-model",
            firstRetryDelayMilliseconds: 1,
            halfOpenAfterMilliseconds: 3_000,
            log,
        });
    });

    afterEach(async () => {
        await both.close();
        await other.stop();
    });

    const ask = async (): Promise<unknown> =>
        (await embedAll(both, inputs, createContext())).map(({ vector }) => vector);
    const right = texts.map((text) => trueVector(text));
    const broken: Turn = (_, response) => reply(response, 500, "broken");
    const breakFor = (turns: number): void => stub.misbehave(...Array<Turn>(turns).fill(broken));

    test("with the primary's vector is used while the primary fails, and no longer", async () => {
        await both.start();
        await eventually("both were asked for the probe", () => other.requests.length === 1);
        await ask();
        expect(other.requests).toHaveLength(1);
        breakFor(100);
        await eventually("the breaker of the primary has opened", async () => {
            expect(await ask()).toEqual(right);
            return JSON.stringify(both.state()).includes('"breaker":"open"');
        });
        const { length } = stub.requests;
        expect(await ask()).toEqual(right);
        expect(stub.requests).toHaveLength(length);
        stub.forget();
        await eventually("the primary is asked again", async () => {
            const before = other.requests.length;
            expect(await ask()).toEqual(right);
            return other.requests.length === before;
        });
    });

    test("with other vectors is never used", async () => {
        other.misbehave((request, response) => {
            const answer = rightAnswer({ ...request, input: ["something else"] });
            reply(response, 200, answer);
        });
        await both.start();
        await eventually("it has got the probe", () => other.requests.length === 1);
        breakFor(20);
        await expect(ask()).rejects.toMatchObject({ status: 503 });
        expect(other.requests).toHaveLength(1);
    });
});

describe("a fallback of a pod that starts while the primary is unavailable", () => {
    let other: StubUpstream;
    let storedVector: Float32Array | undefined;
    let wrong: ((embedding: Embedding) => boolean)[];

    beforeEach(async () => {
        other = await startStubUpstream();
        storedVector = undefined;
        wrong = [];
    });

    afterEach(() => other.stop());

    const both = (): Upstream =>
        createOpenaiUpstream({
            url: stub.url,
            fallbacks: [{ url: other.url, apiKey: "the other's key" }],
            apiKey: "a-key",
            model: "stub-model",
            firstRetryDelayMilliseconds: 1,
            halfOpenAfterMilliseconds: 50,
            reference: {
                read: () => Promise.resolve(storedVector),
                write: (vector) => {
                    storedVector = vector;
                    return Promise.resolve();
                },
            },
            onWrongModel: (isWrong) => void wrong.push(isWrong),
            log,
        });
    const fallbackStatus = (upstream: Upstream): unknown =>
        (upstream.state().endpoints as { status?: string }[])[1]?.status;

    test("is verified by the vector that an earlier pod stored, and never gets the primary's key", async () => {
        const first = both();
        await first.start();
        await eventually("it is verified", () => fallbackStatus(first) === "verified");
        await first.close();
        expect(storedVector).toEqual(
            trueVector("Two-bedroom flat near the park, third floor, no lift."),
        );
        always((_, response) => void response.destroy());
        const second = both();
        await second.start();
        await eventually("it is verified", () => fallbackStatus(second) === "verified");
        const [embedding] = await embedAll(second, inputs, createContext());
        expect(embedding?.isUnverified).toBeUndefined();
        await second.close();
        expect(new Set(other.headers.map(({ authorization }) => authorization))).toEqual(
            new Set(["Bearer the other's key"]),
        );
    });

    test("with other vectors than the stored one is not used", async () => {
        storedVector = trueVector("another model's");
        always((_, response) => void response.destroy());
        const upstream = both();
        await upstream.start();
        await eventually("it is rejected", () => fallbackStatus(upstream) === "rejected");
        await expect(embedAll(upstream, inputs, createContext())).rejects.toMatchObject({
            status: 503,
        });
        await upstream.close();
    });

    test("is used if nothing is stored, and its vectors are not shared", async () => {
        always((_, response) => void response.destroy());
        const upstream = both();
        await upstream.start();
        await eventually("it may answer", () => fallbackStatus(upstream) === "unverified");
        const embeddings = await embedAll(upstream, inputs, createContext());
        expect(embeddings.map(({ vector }) => vector)).toEqual(
            texts.map((text) => trueVector(text)),
        );
        expect(embeddings.every(({ isUnverified }) => isUnverified)).toBe(true);
        await upstream.close();
    });
});
