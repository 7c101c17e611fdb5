import { Agent, request } from "undici";

import { BenchError } from "../../shared/error.ts";
import type { Contestant } from "../peers/peer.ts";
import { fromBase64, trueVector } from "../upstream/vectors.ts";
import type { RequestBody } from "../workload.ts";

export interface Embeddings {
    readonly data: readonly { readonly index: number; readonly embedding: string | number[] }[];
    readonly usage?: {
        readonly prompt_tokens: number;
        readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
    };
}

const CONNECTIONS = 8;
/** Answers that are compared number by number; reading all of them would take minutes. */
const COMPARED = 16;
/** Nine digits of a float32, or a shorter vector made from it, are this close. */
const CLOSE = 1e-6;

/** Sends one request and returns the answer's bytes. @throws BenchError when it is not a 200. */
export async function post(
    { url, headers }: Pick<Contestant, "url" | "headers">,
    json: string,
    agent?: Agent,
): Promise<Buffer> {
    const answer = await request(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: json,
        ...(agent === undefined ? {} : { dispatcher: agent }),
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode === 200) return bytes;
    const said = bytes.toString("utf8").slice(0, 500);
    throw new BenchError(`${url.href} answered ${answer.statusCode}: ${said}`);
}

/**
 * Sends every request once, so that from then on each is a hit, and twice the first few of them,
 * whose second answers must hold the right vectors in the right order.
 */
export async function fill(
    contestant: Contestant,
    bodies: readonly RequestBody[],
    dimensions: number,
): Promise<void> {
    const agent = new Agent({ connections: CONNECTIONS });
    try {
        const queue = bodies.values();
        await Promise.all(
            Array.from({ length: CONNECTIONS }, async () => {
                for (const { json } of queue) await post(contestant, json, agent);
            }),
        );
        for (const { json, texts } of bodies.slice(0, COMPARED)) {
            const fault = wrongVector(await post(contestant, json, agent), texts, dimensions);
            if (fault !== undefined) throw new BenchError(`${contestant.url.href}: ${fault}`);
        }
    } finally {
        await agent.close();
    }
}

/** @returns what is wrong with an answer for these texts, if anything. */
export function wrongVector(
    answer: Buffer,
    texts: readonly string[],
    dimensions?: number,
): string | undefined {
    const { data } = JSON.parse(answer.toString("utf8")) as Embeddings;
    if (data.length !== texts.length) return `${data.length} vectors for ${texts.length} texts`;
    for (const [at, text] of texts.entries()) {
        const item = data[at];
        if (item?.index !== at) return `item ${at} has index ${item?.index ?? "none"}`;
        const { embedding } = item;
        const vector = typeof embedding === "string" ? fromBase64(embedding) : embedding;
        if (!isClose(vector, trueVector(text, dimensions))) {
            return `item ${at} has another text's vector`;
        }
    }
    return undefined;
}

function isClose(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
    if (one.length !== other.length) return false;
    for (let at = 0; at < one.length; at += 1) {
        if (!(Math.abs((one[at] ?? NaN) - (other[at] ?? NaN)) < CLOSE)) return false;
    }
    return true;
}
