import { createServer, type ServerResponse } from "node:http";

import { REFUSED_TEXT, toBase64, trueTokens, trueVector } from "./vectors.ts";

/**
 * The upstream of all contestants: OpenAI's contract over deterministic vectors, as its own process.
 *
 *   node server.ts PORT
 *   POST /v1/embeddings              answers at once
 *   POST /after/50/v1/embeddings     answers after 50 ms, as a model would
 *   GET  /counts                     what it was asked for so far, and would have billed
 */
interface Asked {
    readonly model: string;
    readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
    readonly encoding_format?: "base64" | "float" | null;
    readonly dimensions?: number | null;
}

const counts = { calls: 0, items: 0, tokens: 0 };
/** So that the stub is never what a pass-through is measured by. */
const ready = new Map<string, string>();
const MAX_READY = 4_096;

createServer((request, response) => {
    if (request.url === "/counts") {
        send(response, 200, JSON.stringify(counts));
        return;
    }
    const path = /^(?:\/after\/(\d+))?\/v1\/embeddings$/.exec(request.url ?? "");
    if (!path) {
        send(response, 404, '{"error":{"message":"not here","type":"invalid_request_error"}}');
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
        const body = answer(JSON.parse(json) as Asked);
        const milliseconds = Number(path[1] ?? 0);
        if (milliseconds === 0) send(response, 200, body);
        else setTimeout(() => send(response, 200, body), milliseconds);
    });
}).listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4_096 });

function answer({ model, input, encoding_format: encoding, dimensions }: Asked): string {
    const texts = textsOf(input);
    const tokens = texts.reduce((sum, text) => sum + trueTokens(text), 0);
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

/** A list of tokens has a vector as the text of its numbers has. */
function textsOf(input: Asked["input"]): readonly string[] {
    if (typeof input === "string") return [input];
    const isOneList = typeof input[0] === "number";
    return isOneList
        ? [input.join(" ")]
        : input.map((one) => (typeof one === "string" ? one : String(one)));
}

function vector(text: string, encoding: string, dimensions: number | undefined): string {
    const name = `${encoding} ${dimensions ?? "native"} ${text}`;
    const known = ready.get(name);
    if (known !== undefined) return known;
    const values = trueVector(text, dimensions);
    const json = encoding === "base64" ? `"${toBase64(values)}"` : JSON.stringify([...values]);
    if (ready.size >= MAX_READY) ready.clear();
    ready.set(name, json);
    return json;
}

function send(response: ServerResponse, status: number, body: string): void {
    response.writeHead(status, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
    });
    response.end(body);
}
