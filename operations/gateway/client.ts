import {
    CACHE_STATUSES,
    HEADERS,
    isColour,
    PATHS,
    UserError,
    type Colour,
} from "@property-search/contract";
import { trustHint, type Send } from "./connection.ts";

/** Response of one request through the Gateway. */
export interface EmbedResponse {
    readonly servedBy: Colour;
    readonly version: string;
    /** Statuses of the x-cache header. */
    readonly cache: readonly string[];
    /** Unit vectors in input order. */
    readonly vectors: readonly (readonly number[])[];
    readonly milliseconds: number;
}

export class VerifyError extends UserError {
    override readonly name: string = "VerifyError";
}

/** The service requires an API key, or does not know the given one. */
export class KeyRejected extends VerifyError {
    override readonly name = "KeyRejected";
}

const TIMEOUT_MILLISECONDS = 15_000;

/** URL, transport and credentials of a client. */
export interface GatewayClient {
    readonly url: string;
    /** Default: fetch, which connects to the URL's host */
    readonly send?: Send;
    /** API key of a tenant; undefined for anonymous access. */
    readonly apiKey: string | undefined;
}

/**
 * Embeds texts through the Gateway, optionally at one colour. Uses the service's own path, which needs no model name.
 */
export async function embed(
    client: GatewayClient,
    texts: readonly string[],
    colour?: Colour,
): Promise<EmbedResponse> {
    const started = performance.now();
    const where = describeRequest(client, colour);
    const response = await post(client, { texts }, colour);
    const body = await response.text();
    const milliseconds = performance.now() - started;
    if (response.status !== 200) {
        throw new VerifyError(`${where} responded with ${response.status}: ${body.slice(0, 300)}`);
    }
    const servedBy = response.headers.get(HEADERS.servedBy);
    if (!isColour(servedBy)) {
        throw new VerifyError(`${where} responded without a colour in ${HEADERS.servedBy}`);
    }
    const cache = (response.headers.get(HEADERS.cache) ?? "").split(/,\s*/);
    if (!cache.every((status) => CACHE_STATUSES.some((known) => known === status))) {
        throw new VerifyError(`${where} responded with ${HEADERS.cache}: "${cache.join(", ")}"`);
    }
    return {
        servedBy,
        version: response.headers.get(HEADERS.servedVersion) ?? "",
        cache,
        vectors: parseVectors(JSON.parse(body), texts.length, where),
        milliseconds,
    };
}

/**
 * Checks an API key by a request that costs nothing, because its body is invalid.
 *
 * @throws KeyRejected if the colour rejects the key
 */
export async function assertKeyAccepted(client: GatewayClient, colour: Colour): Promise<void> {
    await (await post(client, {}, colour)).arrayBuffer();
}

async function post(
    client: GatewayClient,
    body: unknown,
    colour: Colour | undefined,
): Promise<Response> {
    const { url, send = fetch, apiKey } = client;
    const response = await send(`${url}${PATHS.embed}`, {
        method: "POST",
        headers: {
            "content-type": "application/json",
            ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
            ...(colour && { [HEADERS.previewColour]: colour }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    }).catch((error: unknown) => {
        const cause = (error as { cause?: unknown }).cause ?? error;
        throw new VerifyError(
            `${describeRequest(client)} failed: ${String(cause)}${trustHint(cause)}`,
        );
    });
    if (response.status !== 401) return response;
    await response.arrayBuffer();
    const where = describeRequest(client, colour);
    throw new KeyRejected(`${where} responded with 401: ${describeRejection(apiKey)}`);
}

function describeRequest({ url }: GatewayClient, colour?: Colour): string {
    return `POST ${url}${PATHS.embed}${colour ? ` at ${colour}` : ""}`;
}

function describeRejection(apiKey: string | undefined): string {
    const remedy =
        "set API_KEY to a tenant's (`pulumi config get tenants.platformKey` prints the platform's)";
    if (apiKey === undefined) return `it requires an API key; ${remedy}`;
    if (apiKey !== process.env.API_KEY) return `this API key is invalid; ${remedy}`;
    return `API_KEY of the environment is not a tenant's key; unset it, or ${remedy}`;
}

function parseVectors(body: unknown, count: number, where: string): number[][] {
    const { embeddings: vectors } = body as { embeddings?: number[][] };
    if (vectors?.length !== count) {
        throw new VerifyError(`${where} did not return ${count} vectors`);
    }
    const bad = vectors.findIndex((vector) => Math.abs(dot(vector, vector) - 1) > 1e-3);
    if (bad >= 0)
        throw new VerifyError(`${where} returned a vector ${bad} that is not of length 1`);
    return vectors;
}

export function dot(a: readonly number[], b: readonly number[]): number {
    return a.reduce((sum, value, index) => sum + value * (b[index] ?? NaN), 0);
}
