import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createMessage, parseWebhookUrl, postToSlack } from "../src/slack.ts";
import { usualReport } from "./support/reports.ts";

const SECRET = "T000/B000/very-secret";

interface Answer {
    readonly status: number;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
}

let server: Server;
let webhookUrl: string;
let answers: Answer[];
let received: { path: string | undefined; type: string | undefined; body: string }[];

beforeEach(async () => {
    received = [];
    server = createServer((request, response) => {
        void text(request).then((body) => {
            received.push({ path: request.url, type: request.headers["content-type"], body });
            const {
                status,
                body: answer = "ok",
                headers = {},
            } = answers.shift() ?? { status: 200 };
            response.writeHead(status, headers).end(answer);
        });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/${SECRET}`;
});

afterEach(() => {
    server.close();
    server.closeAllConnections();
});

const post = (given: readonly Answer[], limitMilliseconds = 60_000) => {
    answers = [...given];
    return postToSlack(usualReport(), {
        webhookUrl,
        limitMilliseconds,
        retryMilliseconds: [1, 1, 1],
        timeoutMilliseconds: 30_000,
    });
};

const failureOf = (posting: Promise<void>) =>
    posting.then(
        () => "none",
        (error: unknown) => String(error),
    );

describe("the message to a webhook", () => {
    test("is JSON with a text and blocks", async () => {
        await post([{ status: 200 }]);
        expect(received).toMatchObject([{ path: `/services/${SECRET}`, type: "application/json" }]);
        expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({
            text: expect.stringContaining("saved $8.00"),
            blocks: expect.arrayContaining([expect.objectContaining({ type: "header" })]),
        });
    });

    test.each([429, 500, 503])("is sent again after a %i", async (status) => {
        await post([{ status }, { status }, { status: 200 }]);
        expect(received).toHaveLength(3);
    });

    test("waits as long as Retry-After says", async () => {
        const begin = performance.now();
        await post([{ status: 429, headers: { "retry-after": "1" } }, { status: 200 }]);
        // Not an assertion of speed: a timer never ends early.
        expect(performance.now() - begin).toBeGreaterThanOrEqual(999);
    });

    test("is given up at once if Retry-After is beyond the limit", async () => {
        const answer = { status: 429, body: "", headers: { "retry-after": "3600" } };
        expect(await failureOf(post([answer]))).toContain("status 429; retry only after 3600 s");
        expect(received).toHaveLength(1);
    });

    test("is not sent again after a rejection, whose reason is named", async () => {
        const answer = { status: 403, body: "invalid_token" };
        expect(await failureOf(post([answer]))).toContain("status 403 invalid_token");
        expect(received).toHaveLength(1);
    });

    test("is given up after four attempts", async () => {
        const answer = { status: 500 };
        expect(await failureOf(post([answer, answer, answer, answer, answer]))).toContain(
            "status 500",
        );
        expect(received).toHaveLength(4);
    });

    test.each([
        ["an error that repeats it", { status: 400, body: SECRET }],
        ["a redirect", { status: 302, headers: { location: `http://127.0.0.1:1/${SECRET}` } }],
    ])("an error never contains the URL: %s", async (_, answer) => {
        const failure = await failureOf(post([answer, answer, answer, answer]));
        expect(failure).toContain("not accepted");
        expect(failure).not.toContain("secret");
        expect(failure).not.toContain("services");
    });

    test("an error never contains the URL: no connection", async () => {
        server.close();
        server.closeAllConnections();
        const failure = await failureOf(post([]));
        expect(failure).toContain("no connection (ECONNREFUSED)");
        expect(failure).not.toContain("secret");
    });
});

test("labels are escaped, and long texts are cut to Slack's limits", () => {
    const long = `<!channel> & ${"x".repeat(4_000)}`;
    const message = createMessage(
        usualReport({
            recommendations: [
                { id: "x", action: long, effect: long, confidence: "low", figures: [] },
            ],
        }),
    );
    const { blocks } = message as { blocks: { type: string; text?: { text: string } }[] };
    const texts = blocks.flatMap((block) => block.text?.text ?? []);
    expect(texts.some((one) => one.includes("&lt;!channel&gt; &amp;"))).toBe(true);
    for (const one of texts) expect(one.length).toBeLessThanOrEqual(3_000);
    expect(JSON.stringify(message)).not.toContain("<!channel>");
});

test.each(["https://hooks.slack.com/services/x\n", "http://127.0.0.1:1/x"])(
    "%j is a webhook",
    (url) => {
        expect(parseWebhookUrl(url)).toBe(url.trim());
    },
);

test.each(["", "secret", "http://hooks.slack.com/secret", "ftp://secret"])(
    "%j is none, and is not repeated",
    (url) => {
        expect(() => parseWebhookUrl(url)).toThrow(/^(?!.*secret).*https/);
    },
);
