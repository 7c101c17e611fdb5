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
    override readonly name = "VerifyError";
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
    { url, send = fetch, apiKey }: GatewayClient,
    texts: readonly string[],
    colour?: Colour,
): Promise<EmbedResponse> {
    const started = performance.now();
    const response = await send(`${url}${PATHS.embed}`, {
        method: "POST",
        headers: {
            "content-type": "application/json",
            ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
            ...(colour && { [HEADERS.previewColour]: colour }),
        },
        body: JSON.stringify({ texts }),
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    }).catch((error: unknown) => {
        const cause = (error as { cause?: unknown }).cause ?? error;
        throw new VerifyError(
            `POST ${url}${PATHS.embed} failed: ${String(cause)}${trustHint(cause)}`,
        );
    });
    const body = await response.text();
    const milliseconds = performance.now() - started;
    const where = `POST ${url}${PATHS.embed}${colour ? ` at ${colour}` : ""}`;
    if (response.status === 401) {
        throw new VerifyError(
            `${where} answered 401: ${apiKey === undefined ? "it requires an API key" : "this API key is invalid"}; ` +
                "set API_KEY to a tenant's (`pulumi config get tenants.platformKey` prints the platform's)",
        );
    }
    if (response.status !== 200) {
        throw new VerifyError(`${where} answered ${response.status}: ${body.slice(0, 300)}`);
    }
    const servedBy = response.headers.get(HEADERS.servedBy);
    if (!isColour(servedBy)) {
        throw new VerifyError(`${where} answered without a colour in ${HEADERS.servedBy}`);
    }
    const cache = (response.headers.get(HEADERS.cache) ?? "").split(/,\s*/);
    if (!cache.every((status) => CACHE_STATUSES.some((known) => known === status))) {
        throw new VerifyError(`${where} answered ${HEADERS.cache}: "${cache.join(", ")}"`);
    }
    return {
        servedBy,
        version: response.headers.get(HEADERS.servedVersion) ?? "",
        cache,
        vectors: parseVectors(JSON.parse(body), texts.length, where),
        milliseconds,
    };
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
