import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

import { littleEndianBytes } from "../../src/vector/entry.ts";
import { trueTokens, trueVector } from "./vectors.ts";

export interface StubRequest {
    readonly model: string;
    readonly input: readonly (string | readonly number[])[];
    readonly encoding_format: "float" | "base64";
    readonly dimensions?: number;
}

export interface StubUpstream {
    readonly url: URL;
    /** Requests that arrived, in order. */
    readonly requests: StubRequest[];
    readonly headers: IncomingMessage["headers"][];
    /** Their targets, with queries. */
    readonly targets: string[];
    billedTokens: number;
    /** Overrides the next responses, one each; then responses are correct again. */
    readonly misbehave: (...turns: readonly Turn[]) => void;
    /** Drops the overrides that are left. */
    readonly forget: () => void;
    /** Overrides all other responses, if set. */
    always: Turn | undefined;
    readonly stop: () => Promise<void>;
}

export type Turn = (request: StubRequest, response: ServerResponse) => void;

/** A text with this word is rejected with 400, like one that is too long. */
export const REFUSED = "unspeakable";

/** A real HTTP server with OpenAI's embeddings API and E as its model. */
export async function startStubUpstream(
    model: StubModel = {},
    chosenPort = 0,
): Promise<StubUpstream> {
    const turns: Turn[] = [];
    const server = createServer((request, response) => {
        void json(request).then((body) => answer(request, body as StubRequest, response));
    });
    await new Promise<void>((resolve) => server.listen(chosenPort, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const stub: StubUpstream = {
        url: new URL(`http://127.0.0.1:${port}/v1`),
        requests: [],
        headers: [],
        targets: [],
        billedTokens: 0,
        misbehave: (...next) => void turns.push(...next),
        forget: () => void turns.splice(0),
        always: undefined,
        stop: () =>
            new Promise((resolve) => {
                server.close(() => resolve());
                server.closeAllConnections();
            }),
    };
    return stub;

    function answer(request: IncomingMessage, body: StubRequest, response: ServerResponse): void {
        stub.requests.push(body);
        stub.headers.push(request.headers);
        stub.targets.push(request.url ?? "");
        const turn = turns.shift() ?? stub.always;
        if (turn) {
            turn(body, response);
            return;
        }
        if (body.input.some((input) => String(input).includes(REFUSED))) {
            reply(response, 400, { error: { message: "input refused", code: "refused" } });
            return;
        }
        const answer = rightAnswer(body, model);
        stub.billedTokens += answer.usage.prompt_tokens;
        reply(response, 200, answer);
    }
}

export interface RightAnswer {
    readonly data: { index: number; embedding: string | number[] }[];
    readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

export interface StubModel {
    readonly dimensions?: number;
    readonly tokensOf?: (text: string) => number;
    readonly vectorOf?: typeof trueVector;
}

export function rightAnswer(
    request: StubRequest,
    { dimensions, tokensOf = trueTokens, vectorOf = trueVector }: StubModel = {},
): RightAnswer {
    const texts = request.input.map((input) =>
        typeof input === "string" ? input : `tokens ${input.join(" ")}`,
    );
    const data = texts.map((text, index) => {
        const vector = vectorOf(text, request.dimensions ?? dimensions);
        return {
            object: "embedding",
            index,
            embedding:
                request.encoding_format === "base64"
                    ? littleEndianBytes(vector).toString("base64")
                    : Array.from(vector),
        };
    });
    const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0);
    return { data, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

export function reply(
    response: ServerResponse,
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
): void {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
}
