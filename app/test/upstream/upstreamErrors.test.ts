import { describe, expect, test } from "@jest/globals";

import type { Input } from "../../src/input.ts";
import { classifyFailure, type ErrorResponse } from "../../src/upstream/openai/failure.ts";

const text = (words: string): Input => ({ kind: "text", text: words });
const many = (count: number): readonly Input[] =>
    Array.from({ length: count }, (_, n) => text(`house number ${n}`));

const answered = (
    status: number,
    body: unknown,
    headers: ErrorResponse["headers"] = {},
    inputs = many(100),
) =>
    classifyFailure(
        { status, headers, text: typeof body === "string" ? body : JSON.stringify(body) },
        inputs,
    );

describe("the reason of a rejection reaches the client, from any provider", () => {
    test.each<[string, number, unknown, string, string]>([
        [
            "OpenAI",
            400,
            { error: { message: "input is too long", type: "x", code: "context_length_exceeded" } },
            "input is too long",
            "context_length_exceeded",
        ],
        [
            "Google, in a list",
            400,
            [{ error: { code: 400, message: "Text is empty.", status: "INVALID_ARGUMENT" } }],
            "Text is empty.",
            "invalid_input",
        ],
        [
            "TEI",
            413,
            {
                error: "`inputs` must have less than 512 tokens. Given: 600",
                error_type: "Validation",
            },
            "`inputs` must have less than 512 tokens. Given: 600",
            "invalid_input",
        ],
        [
            "TEI's OpenAI route",
            422,
            { message: "Input validation error", code: 422, type: "validation" },
            "Input validation error",
            "validation",
        ],
        [
            "vLLM",
            400,
            { object: "error", message: "maximum context length is 512", type: "BadRequestError" },
            "maximum context length is 512",
            "invalid_input",
        ],
        [
            "Cohere",
            400,
            { message: "text must not be empty" },
            "text must not be empty",
            "invalid_input",
        ],
        ["Voyage", 400, { detail: "Input is not valid." }, "Input is not valid.", "invalid_input"],
        [
            "FastAPI",
            422,
            { detail: [{ loc: ["body", "input", 0], msg: "String too short", input: "a secret" }] },
            "body.input.0: String too short",
            "invalid_input",
        ],
        ["a proxy", 400, { errorMessage: "unreadable" }, "unreadable", "invalid_input"],
        [
            "HTML",
            400,
            "<html>Bad Request</html>",
            "The upstream rejected the input",
            "invalid_input",
        ],
        ["nothing", 400, "", "The upstream rejected the input", "invalid_input"],
    ])("%s", (_, status, body, message, code) => {
        const { error, isRetryable } = answered(status, body, {}, [text("one")]);
        expect({
            status: error.status,
            message: error.message,
            code: error.code,
            isRetryable,
        }).toEqual({
            status: 400,
            message,
            code,
            isRetryable: false,
        });
    });

    test("but never more than a page of it", () => {
        const { error } = answered(400, { error: { message: "x".repeat(100_000) } });
        expect(error.message.length).toBeLessThanOrEqual(1_000);
    });
});

describe("a call that is too large", () => {
    test.each<[string, number, unknown, number | undefined]>([
        [
            "DashScope",
            400,
            { error: { message: "batch size is invalid, it should not be larger than 10" } },
            10,
        ],
        [
            "TEI",
            413,
            { error: "batch size 100 > maximum allowed batch size 32", error_type: "Validation" },
            32,
        ],
        ["Google", 400, { error: { message: "at most 64 requests can be in one batch" } }, 64],
        [
            "Cohere",
            400,
            { message: "invalid request: total number of texts must be at most 96" },
            96,
        ],
        [
            "Azure, of old",
            400,
            { error: { message: "Too many inputs. The max number of inputs is 16." } },
            16,
        ],
        [
            "FastAPI",
            422,
            { detail: [{ loc: ["body", "input"], msg: "List should have at most 50 items" }] },
            50,
        ],
        [
            "OpenAI",
            400,
            { error: { message: "array too long. Expected an array with maximum length 20" } },
            20,
        ],
        [
            "Mistral",
            400,
            { message: "Too many inputs in request, split into more batches." },
            undefined,
        ],
    ])("%s states the maximum number of inputs", (_, status, body, allowedInputs) => {
        expect(answered(status, body).error).toMatchObject({
            code: "batch_too_large",
            unit: "inputs",
            allowedInputs,
        });
    });

    test.each([
        ["OpenAI", 400, { error: { message: "too much", code: "max_tokens_per_request" } }],
        ["Voyage", 400, { detail: "The max allowed tokens per submitted batch is 120000." }],
        ["Mistral", 400, { message: "Too many tokens overall, split into more batches." }],
        ["a gateway", 413, "<html>413 Request Entity Too Large</html>"],
    ])("%s means that the texts are too long together", (_, status, body) => {
        expect(answered(status, body).error).toMatchObject({ unit: "bytes" });
    });

    test("is not detected in a client's text that the error quotes", () => {
        const quoted = "the batch size must not be larger than 1";
        const inputs = [text(quoted), text("another")];
        for (const message of [`invalid: ${quoted}`, `invalid: "${quoted.slice(0, 30)}…"`]) {
            const { error } = answered(400, { error: { message } }, {}, inputs);
            expect(error).toMatchObject({ status: 400, code: "invalid_input" });
        }
    });

    test("is detected although one of the texts is a letter of the message", () => {
        const inputs = [...many(100), text("a"), text("batch")];
        const message = "a batch is not larger than 10";
        expect(answered(400, { message }, {}, inputs).error).toMatchObject({ allowedInputs: 10 });
    });

    test("is not TEI's error for one text, which would teach a size", () => {
        const { error } = answered(413, {
            error: "Input validation error: `inputs` must have less than 512 tokens. Given: 600",
            error_type: "Validation",
        });
        expect(error).toMatchObject({ status: 400, code: "invalid_input" });
    });

    test("is never a single input", () => {
        const { error } = answered(413, { error: "batch size 1 > 0" }, {}, [text("one")]);
        expect(error).toMatchObject({ status: 400, code: "invalid_input" });
    });
});

describe("errors that no client can fix are not the client's fault", () => {
    test.each<[string, number, unknown, string]>([
        [
            "Google's wrong key",
            400,
            {
                error: {
                    code: 400,
                    message: "API key not valid.",
                    details: [{ reason: "API_KEY_INVALID" }],
                },
            },
            "(400 API_KEY_INVALID)",
        ],
        [
            "LiteLLM's budget",
            400,
            { error: { message: "Budget has been exceeded!", type: "budget_exceeded" } },
            "(400 budget_exceeded)",
        ],
        [
            "a model that is not there",
            400,
            { error: { message: "The model `x` does not exist" } },
            "(400)",
        ],
        ["no access", 403, { error: { message: "no", code: "forbidden" } }, "(403 forbidden)"],
        [
            "no money",
            402,
            { error: { message: "pay", code: "billing_hard_limit" } },
            "quota is exhausted",
        ],
        [
            "no quota",
            429,
            { error: { message: "no", code: "insufficient_quota" } },
            "quota is exhausted",
        ],
    ])("%s", (_, status, body, words) => {
        const { error, isRetryable } = answered(status, body);
        expect({ status: error.status, code: error.code, isRetryable }).toEqual({
            status: 503,
            code: "upstream_rejected",
            isRetryable: false,
        });
        expect(error.message).toContain(words);
    });

    test("unless the error only quotes a client's text about keys", () => {
        const [short, long] = ["api key", "my API key is not valid in the end"];
        const quotes = [long, `"${long.slice(0, 24)}…"`, `"${short}"`, `'${short}'`, `“${short}”`];
        for (const quote of quotes) {
            const { error } = answered(400, { message: `bad: ${quote}` }, {}, [
                text(long),
                text(short),
            ]);
            expect(error.status).toBe(400);
        }
    });

    test("also if a text of the call is part of their words", () => {
        for (const part of ["a", "api key"]) {
            const failed = answered(400, { message: "invalid api key" }, {}, [text(part)]);
            // A probe decides.
            expect(failed).toMatchObject({ error: { status: 503 }, mayBeInputs: true });
        }
    });
});

describe("a transient failure", () => {
    test.each([
        ["500", 500, "broken"],
        ["TEI's 424", 424, { error: "Backend error: Inference failed", error_type: "Backend" }],
        ["408", 408, ""],
        ["409", 409, ""],
    ])("is retried: %s", (_, status, body) => {
        expect(answered(status, body)).toMatchObject({
            error: { status: 503, code: "upstream_error" },
            isRetryable: true,
        });
    });
});

describe("a rate limit", () => {
    test.each<[string, ErrorResponse["headers"], unknown, number | undefined]>([
        ["in seconds", { "retry-after": "30" }, {}, 30_000],
        ["in milliseconds (Azure, OpenAI)", { "retry-after-ms": "1500" }, {}, 1_500],
        ["in the body (Google)", {}, { error: { details: [{ retryDelay: "34s" }] } }, 34_000],
        ["not at all", {}, {}, undefined],
    ])("states when to retry: %s", (_, headers, body, milliseconds) => {
        expect(answered(429, body, headers)).toMatchObject({
            error: { status: 429 },
            isRetryable: true,
            retryAfterMilliseconds: milliseconds,
            cooldownMilliseconds: milliseconds,
        });
    });
});
