import { beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { ServerResponse } from "node:http";
import { PROBE } from "../../../src/upstream/openai/endpoint.ts";
import { embedAll, outcomesOf } from "../../support/embedAll.ts";
import { eventually } from "../../support/eventually.ts";
import { reply, rightAnswer, type StubRequest } from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import { trueVector } from "../../support/vectors.ts";
import {
    always,
    replaceUpstream,
    stub,
    TOTAL_MILLISECONDS,
    upstream,
    useStubUpstream,
} from "../../support/openaiUpstream.ts";

useStubUpstream();

const MARK = "suspect";
const inputsOf = (texts: readonly string[]) =>
    texts.map((text) => ({ kind: "text", text }) as const);
const ask = (texts: readonly string[], dimensions?: number) =>
    outcomesOf(upstream, inputsOf(texts), { ...createContext(TOTAL_MILLISECONDS), dimensions });

/** Fails calls with a text that has the mark; the others are answered. */
function failSuspects(fail: (request: StubRequest, response: ServerResponse) => void): void {
    always((request, response) => {
        if (request.input.some((input) => String(input).includes(MARK))) fail(request, response);
        else reply(response, 200, rightAnswer(request));
    });
}

/** The middle of a long value is left out, as in pydantic's messages. */
function quoteEnds({ input }: StubRequest): string {
    const text = String(input.find((one) => String(one).includes(MARK)));
    return `1 validation error, input_value='${text.slice(0, 25)}...${text.slice(-24)}'`;
}

describe("texts that are rejected in the words for a rejected key", () => {
    const ending = "what is meant by: invalid api key";
    describe.each<[string, (request: StubRequest, response: ServerResponse) => void]>([
        ["by a firewall", (_, response) => reply(response, 403, "<html>Request blocked</html>")],
        [
            "since the message quotes their ends",
            (request, response) => reply(response, 422, { message: quoteEnds(request) }),
        ],
    ])("%s", (_, fail) => {
        beforeEach(() => failSuspects(fail));

        test("are the client's fault, and do not open the breaker", async () => {
            for (let n = 0; n < 7; n += 1) {
                const [outcome] = await ask([`${MARK} ${n} of a client that asks ${ending}`]);
                expect(outcome).toMatchObject({ status: 400, code: "invalid_input" });
            }
            expect(upstream.state()).toMatchObject({ endpoints: [{ breaker: "closed" }] });
        });

        test("do not fail the others of their call", async () => {
            const texts = ["a", "b", `${MARK} text of a client that asks ${ending}`, "c", "d"];
            const outcomes = await ask(texts);
            for (const [at, text] of texts.entries()) {
                if (at === 2) expect(outcomes[at]).toMatchObject({ status: 400 });
                else expect(outcomes[at]).toMatchObject({ vector: trueVector(text) });
            }
        });
    });

    test("are remembered only if a probe has succeeded since: the key may have been revoked", async () => {
        const now = jest.spyOn(performance, "now");
        try {
            // Both rejections are of the same moment.
            now.mockReturnValue(performance.now());
            failSuspects((_, response) => reply(response, 403, "<html>Request blocked</html>"));
            const rejection = { status: 400, code: "invalid_input" };
            expect(await ask([MARK])).toMatchObject([{ ...rejection, isUncertain: false }]);
            always((_, response) => reply(response, 403, { error: { message: "no access" } }));
            expect(await ask(["good"])).toMatchObject([{ ...rejection, isUncertain: true }]);
        } finally {
            now.mockRestore();
        }
        expect(stub.requests).toHaveLength(3);
    });

    test("open the breaker if the key really is rejected", async () => {
        always((_, response) => reply(response, 403, { error: { message: "no access" } }));
        for (let n = 0; n < 5; n += 1)
            expect((await ask([`text ${n}`]))[0]).toMatchObject({ code: "upstream_rejected" });
        expect((await ask(["text"]))[0]).toMatchObject({ code: "upstream_unavailable" });
    });
});

describe("many texts for which the model fails", () => {
    test("do not open the breaker", async () => {
        failSuspects((_, response) => reply(response, 500, "NaN"));
        for (let n = 0; n < 8; n += 1)
            expect((await ask([`${MARK} ${n}`]))[0]).toMatchObject({ code: "upstream_error" });
        expect((await ask(["good"]))[0]).toMatchObject({ vector: trueVector("good") });
        expect(upstream.state()).toMatchObject({ endpoints: [{ breaker: "closed" }] });
    });

    test("do not keep it open after an outage", async () => {
        await replaceUpstream({ halfOpenAfterMilliseconds: 100 });
        always((_, response) => reply(response, 500, "down"));
        const isOpen = (): boolean => JSON.stringify(upstream.state()).includes('"open"');
        for (let n = 0; n < 5; n += 1) await ask([`text ${n}`]);
        await eventually("the breaker has opened", isOpen);
        failSuspects((_, response) => reply(response, 500, "NaN"));
        await eventually("it has closed", async () => {
            await ask([`${MARK} text`]);
            return JSON.stringify(upstream.state()).includes('"closed"');
        });
    });
});

test("the retries of one tenant's failing texts do not use up those of others", async () => {
    failSuspects((_, response) => reply(response, 500, "NaN"));
    const askAs = (tenant: string, text: string) =>
        outcomesOf(upstream, inputsOf([text]), { ...createContext(TOTAL_MILLISECONDS), tenant });
    for (let n = 0; n < 40; n += 1) await askAs("a", `${MARK} ${n}`);
    stub.misbehave((_, response) => reply(response, 500, "for a moment"));
    expect((await askAs("b", "good"))[0]).toMatchObject({ vector: trueVector("good") });
});

describe("dimensions that the API ignores", () => {
    test("are the client's fault before the model's dimensions are known, too", async () => {
        always(({ model, input, encoding_format }, response) =>
            reply(response, 200, rightAnswer({ model, input, encoding_format })),
        );
        const shortened = { ...createContext(), dimensions: 8 };
        await expect(embedAll(upstream, inputsOf(["one"]), shortened)).rejects.toMatchObject({
            status: 400,
            code: "unsupported_dimensions",
        });
        expect(stub.requests.map(({ input }) => input[0])).toEqual(["one", PROBE.text]);
        expect(upstream.dimensions()).toBe(16);
    });
});
