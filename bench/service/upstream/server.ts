import { createServer, type ServerResponse } from "node:http";

import { REFUSED_TEXT, toBase64, countTokens, expectedVector } from "./vectors.ts";

/**
 * The upstream of all peers: OpenAI's API with deterministic vectors, in its own process.
 *
 *   node server.ts PORT
 *   POST /v1/embeddings              answers at once
 *   POST /after/50/v1/embeddings     answers after 50 ms, as a model would
 *   GET  /counts                     calls, items and billed tokens so far
 */
interface EmbeddingRequest {
    readonly model: string;
    readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
    readonly encoding_format?: "base64" | "float" | null;
    readonly dimensions?: number | null;
}

const counts = { calls: 0, items: 0, tokens: 0 };
/** Keeps the stub from becoming the bottleneck of a pass-through proxy. */
const cachedVectors = new Map<string, string>();
const MAX_CACHED = 4_096;

createServer((request, response) => {
    if (request.url === "/counts") {
        send(response, 200, JSON.stringify(counts));
        return;
    }
    const path = /^(?:\/after\/(\d+))?\/v1\/embeddings$/.exec(request.url ?? "");
    if (!path) {
        send(response, 404, '{"error":{"message":"not found","type":"invalid_request_error"}}');
        return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
        const json = Buffer.concat(chunks).toString();
        if (json.includes(REFUSED_TEXT)) {
            send(response, 400, '{"error":{"message":"refused","type":"invalid_request_error"}}');
            return;
        }
        const body = answer(JSON.parse(json) as EmbeddingRequest);
        const milliseconds = Number(path[1] ?? 0);
        if (milliseconds === 0) send(response, 200, body);
        else setTimeout(() => send(response, 200, body), milliseconds);
    });
}).listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4_096 });

function answer({ model, input, encoding_format: encoding, dimensions }: EmbeddingRequest): string {
    const texts = textsOf(input);
    const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
    counts.calls += 1;
    counts.items += texts.length;
    counts.tokens += tokens;
    const data = texts.map(
        (text, index) =>
            `{"object":"embedding","index":${index},"embedding":` +
            `${vector(text, encoding ?? "float", dimensions ?? undefined)}}`,
    );
    return (
        `{"object":"list","data":[${data.join(",")}],"model":${JSON.stringify(model)},` +
        `"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`
    );
}

/** A list of tokens has the vector of the text of its numbers. */
function textsOf(input: EmbeddingRequest["input"]): readonly string[] {
    if (typeof input === "string") return [input];
    const isOneList = typeof input[0] === "number";
    return isOneList
        ? [input.join(" ")]
        : input.map((one) => (typeof one === "string" ? one : String(one)));
}

function vector(text: string, encoding: string, dimensions: number | undefined): string {
    const name = `${encoding} ${dimensions ?? "native"} ${text}`;
    const known = cachedVectors.get(name);
    if (known !== undefined) return known;
    const values = expectedVector(text, dimensions);
    const json = encoding === "base64" ? `"${toBase64(values)}"` : JSON.stringify([...values]);
    if (cachedVectors.size >= MAX_CACHED) cachedVectors.clear();
    cachedVectors.set(name, json);
    return json;
}

function send(response: ServerResponse, status: number, body: string): void {
    response.writeHead(status, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
    });
    response.end(body);
}
