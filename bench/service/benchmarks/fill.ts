import { Agent, request } from "undici";

import { BenchError } from "../../shared/benchError.ts";
import type { Target } from "../peers/peer.ts";
import { fromBase64, expectedVector } from "../upstream/vectors.ts";
import type { RequestBody } from "../workload.ts";

export interface Embeddings {
    readonly data: readonly { readonly index: number; readonly embedding: string | number[] }[];
    readonly usage?: {
        readonly prompt_tokens: number;
        readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
    };
}

const CONNECTIONS = 8;
/** Number of answers whose vectors are checked; checking all would take minutes. */
const CHECKED = 16;
/** Tolerance: vectors pass through decimal text and are shortened in float32. */
const TOLERANCE = 1e-6;

/** Sends one request. @returns the body of the answer @throws BenchError unless the status is 200 */
export async function post(
    { url, headers }: Pick<Target, "url" | "headers">,
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
    const text = bytes.toString("utf8").slice(0, 500);
    throw new BenchError(`${url.href} responded with ${answer.statusCode}: ${text}`);
}

/**
 * Sends every request once, so that each is a hit from then on. Sends the first ones again and checks that the
 * answers contain the correct vectors in the correct order.
 */
export async function fill(
    target: Target,
    bodies: readonly RequestBody[],
    dimensions: number,
): Promise<void> {
    const agent = new Agent({ connections: CONNECTIONS });
    try {
        const queue = bodies.values();
        await Promise.all(
            Array.from({ length: CONNECTIONS }, async () => {
                for (const { json } of queue) await post(target, json, agent);
            }),
        );
        for (const { json, texts } of bodies.slice(0, CHECKED)) {
            const problem = vectorError(await post(target, json, agent), texts, dimensions);
            if (problem !== undefined) throw new BenchError(`${target.url.href}: ${problem}`);
        }
    } finally {
        await agent.close();
    }
}

/** @returns the first problem of an answer to these texts, or undefined */
export function vectorError(
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
        if (!isClose(vector, expectedVector(text, dimensions))) {
            return `item ${at} has another text's vector`;
        }
    }
    return undefined;
}

function isClose(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
    if (one.length !== other.length) return false;
    for (let at = 0; at < one.length; at += 1) {
        if (!(Math.abs((one[at] ?? NaN) - (other[at] ?? NaN)) < TOLERANCE)) return false;
    }
    return true;
}
