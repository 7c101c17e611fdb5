import { afterEach, beforeEach, expect } from "@jest/globals";
import { pino } from "pino";
import type { Input } from "../../src/input.ts";
import { createOpenaiUpstream, type OpenaiOptions } from "../../src/upstream/openai/openai.ts";
import type { Upstream } from "../../src/upstream/upstream.ts";
import { embedAll } from "./embedAll.ts";
import { startStubUpstream, type StubUpstream, type Turn } from "./stubUpstream.ts";
import { createContext } from "./requestContext.ts";
import { trueTokens, trueVector } from "./vectors.ts";

export const log = pino({ level: "silent" });

export let stub: StubUpstream;

export let upstream: Upstream;

export const texts = ["one", "two words", "three words here"];

export const inputs: readonly Input[] = texts.map((text) => ({ kind: "text", text }));

/** Of an upstream whose test waits for the timeout of an attempt: a busy machine is late for a shorter one. */
export const ATTEMPT_MILLISECONDS = 2_000;

export const TOTAL_MILLISECONDS = 25_000;

/** Starts a stub and an upstream that calls it, before each test of a file. */
export function useStubUpstream(): void {
    beforeEach(async () => {
        stub = await startStubUpstream();
        upstream = createUpstream();
    });

    afterEach(async () => {
        await upstream.close();
        await stub.stop();
    });
}

function createUpstream(options: Partial<OpenaiOptions> = {}): Upstream {
    return createOpenaiUpstream({
        url: stub.url,
        apiKey: "a-key",
        model: "stub-model",
        firstRetryDelayMilliseconds: 1,
        log,
        ...options,
    });
}

export async function replaceUpstream(options: Partial<OpenaiOptions>): Promise<void> {
    await upstream.close();
    upstream = createUpstream(options);
}

export const embed = () => embedAll(upstream, inputs, createContext(TOTAL_MILLISECONDS));

/** A single input cannot be bisected: it is retried as a whole. */
export const embedOne = (milliseconds = TOTAL_MILLISECONDS) =>
    embedAll(upstream, inputs.slice(0, 1), createContext(milliseconds));

export async function expectRight(): Promise<void> {
    const embeddings = await embed();
    expect(embeddings.map(({ vector }) => vector)).toEqual(texts.map((text) => trueVector(text)));
    const tokens = embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
    expect(tokens).toBe(texts.reduce((sum, text) => sum + trueTokens(text), 0));
}

export const always = (turn: Turn): void => {
    stub.always = turn;
};

/** `encoding_format` of each request. */
export const requestedEncodings = (): unknown[] =>
    stub.requests.map(({ encoding_format: name }) => name);
