import {
    COLOURS,
    EXAMPLE_NAME,
    EXAMPLE_PATHS,
    NAMESPACES,
    type Colour,
    type Weights,
} from "@property-search/contract";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { readIfExists, type Cluster } from "../cluster/connect.ts";
import { dot, embed, VerifyError, type GatewayClient } from "../gateway/client.ts";
import { formatWeights } from "../shared/route.ts";
import { createSend, type Send } from "../gateway/connection.ts";
import { findGateway, readLiveWeights } from "../gateway/endpoint.ts";
import { findImpactPage, type ImpactPage } from "../impact/impact.ts";
import { runSamples, checkShares, type Shares } from "../gateway/shares.ts";

export interface VerifyOptions {
    readonly cluster: Cluster;
    /** API key of a tenant; undefined for anonymous access. */
    readonly apiKey: string | undefined;
    /** Weights that the route should have. Default: its current ones */
    readonly expected?: Weights | undefined;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
    /** Requests that measure the shares. Default: 600 */
    readonly samples?: number;
}

export interface VerifyResult {
    readonly url: string;
    readonly weights: Weights;
    readonly shares: Shares;
    readonly versions: Readonly<Record<Colour, string>>;
    readonly missMilliseconds: number;
    readonly hitMilliseconds: number;
    /** Milliseconds of the hits among the requests that measured the shares. */
    readonly cached: readonly number[];
    /** The page of insights; undefined if the stack has none. */
    readonly page: ImpactPage | undefined;
    /** URL of the example's page; undefined if the stack has no example. */
    readonly exampleUrl: string | undefined;
}

/** Sample texts: the first two are paraphrases, the third has another topic. */
const LISTING = "Bright three-bedroom flat with a balcony, five minutes from the river";
const PARAPHRASE = "Sunny apartment with 3 bedrooms and a balcony, a short walk to the riverside";
const UNRELATED = "How do I reset the password of my account?";

const CONCURRENCY = 8;

/** Seconds until the Gateway serves a route that it has accepted. */
const PAGE_SECONDS = 30;

/**
 * Verifies a deployed stack with client requests through its Gateway: a new text is a miss, then a hit; each colour
 * responds when it is requested by header, and both return the same vector, since they share the cache and the model; a
 * paraphrase is more similar than another topic; over `samples` requests each colour gets the share of its weight; and the
 * page of insights is served with its token only, where the Gateway serves it. The same for the page of the example,
 * which needs no token.
 *
 * @throws VerifyError with the first failed check
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
    const { cluster, report, samples = 600, signal } = options;
    const endpoint = await findGateway(cluster);
    const { url } = endpoint;
    const weights = await readLiveWeights(cluster);
    const wanted = options.expected ?? weights;
    assert(
        wanted.blue === weights.blue,
        `the route has ${formatWeights(weights)} (blue/green), and traffic.weights is ${formatWeights(wanted)}: ` +
            "make deploy restores the config's weights, make switch shifts traffic",
    );
    const send = createSend(endpoint);
    const client: GatewayClient = { url, send, apiKey: options.apiKey };

    const fresh = `${LISTING}, reference ${randomUUID()}`;
    const miss = await embed(client, [fresh]);
    assert(miss.cache.join() === "MISS", `a new text was ${miss.cache.join()}, not a MISS`);
    const hit = await embed(client, [fresh], miss.servedBy);
    assert(hit.cache.every(isHit), `the same text again was ${hit.cache.join()}, not a hit`);
    report(
        `miss in ${formatMilliseconds(miss)}, hit in ${formatMilliseconds(hit)} (${hit.cache.join()})`,
    );

    const versions = await verifyByHeader(client, fresh, miss.vectors[0] ?? [], report);
    await verifySimilarity(client, report);

    signal?.throwIfAborted();
    const { shares, cached } = await measureShares(client, samples, signal);
    const check = checkShares(shares, weights);
    report(`shares ${check.text}`);
    assert(check.matches, `measured shares differ from the weights: ${check.text}`);
    const page = await findImpactPage(cluster);
    if (page?.url !== undefined) {
        await verifyPage(send, page.url, page.accessToken, signal);
        report(`${page.url} needs its token`);
    }
    const exampleUrl = await findExampleUrl(cluster, url);
    if (exampleUrl !== undefined) {
        await requireStatus(send, exampleUrl, signal);
        report(`${exampleUrl} is served`);
    }
    return {
        url,
        weights,
        shares,
        versions,
        missMilliseconds: miss.milliseconds,
        hitMilliseconds: hit.milliseconds,
        cached,
        page,
        exampleUrl,
    };
}

async function verifyByHeader(
    client: GatewayClient,
    text: string,
    vector: readonly number[],
    report: (line: string) => void,
): Promise<Record<Colour, string>> {
    const versions: Record<Colour, string> = { blue: "", green: "" };
    for (const colour of COLOURS) {
        const answer = await embed(client, [text], colour);
        assert(answer.servedBy === colour, `requested ${colour}, ${answer.servedBy} answered`);
        const same = answer.vectors[0]?.every((value, index) => value === vector[index]);
        assert(same === true, `${colour} returned another vector for the same text`);
        versions[colour] = answer.version;
        report(`${colour} (${answer.version}) by header: ${answer.cache.join()}, same vector`);
    }
    return versions;
}

async function verifySimilarity(
    client: GatewayClient,
    report: (line: string) => void,
): Promise<void> {
    const { vectors } = await embed(client, [LISTING, PARAPHRASE, UNRELATED]);
    const [listing = [], paraphrase = [], unrelated = []] = vectors;
    const near = dot(listing, paraphrase);
    const far = dot(listing, unrelated);
    assert(near > far + 0.3, `a paraphrase has cosine ${near}, another topic ${far}`);
    report(`cosine of a paraphrase ${near.toFixed(2)}, of another topic ${far.toFixed(2)}`);
}

async function measureShares(
    client: GatewayClient,
    samples: number,
    signal?: AbortSignal,
): Promise<Pick<VerifyResult, "shares" | "cached">> {
    const shares = { blue: 0, green: 0 };
    const cached: number[] = [];
    await runSamples({ samples, concurrency: CONCURRENCY, signal }, async () => {
        const { servedBy, cache, milliseconds } = await embed(client, [LISTING]);
        shares[servedBy] += 1;
        if (cache.every(isHit)) cached.push(milliseconds);
    });
    return { shares, cached };
}

/** @returns undefined if the stack has no example */
async function findExampleUrl(cluster: Cluster, url: string): Promise<string | undefined> {
    const route = await readIfExists(cluster, {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        namespace: NAMESPACES.edge,
        name: EXAMPLE_NAME,
    });
    return route && `${url}${EXAMPLE_PATHS.page}`;
}

/** @param send requests to the Gateway, whose new route may not be in force yet */
export async function verifyPage(
    send: Send,
    page: string,
    token: string,
    signal?: AbortSignal,
): Promise<void> {
    const url = `${page}/api/reports`;
    const headers = { authorization: `Bearer ${token}` };
    await requireStatus(send, url, signal, { headers });
    const unknown = await statusOf(send, url);
    assert(unknown === 401, `${url} responded with ${unknown} without the access token, not 401`);
}

/** Waits until a page is served. */
async function requireStatus(
    send: Send,
    url: string,
    signal?: AbortSignal,
    init?: RequestInit,
): Promise<void> {
    let status = await statusOf(send, url, init);
    for (let wait = 0; status !== 200 && wait < PAGE_SECONDS; wait += 1) {
        await delay(1000, undefined, { signal });
        status = await statusOf(send, url, init);
    }
    const how = init ? " to the access token" : "";
    assert(status === 200, `${url} responded with ${status}${how}, not 200`);
}

async function statusOf(send: Send, url: string, init?: RequestInit): Promise<number> {
    const response = await send(url, init);
    await response.body?.cancel();
    return response.status;
}

function isHit(status: string): boolean {
    return status.startsWith("HIT");
}

function formatMilliseconds(answer: { milliseconds: number }): string {
    return `${answer.milliseconds.toFixed(1)} ms`;
}

function assert(holds: boolean, message: string): asserts holds {
    if (!holds) throw new VerifyError(message);
}
