import { COLOURS, type Colour, type Weights } from "@property-search/contract";
import { randomUUID } from "node:crypto";
import type { Cluster } from "../cluster/connect.ts";
import { dot, embed, VerifyError, type Entrance } from "../gateway/client.ts";
import { weightsText } from "../shared/route.ts";
import { senderTo } from "../gateway/connection.ts";
import { findGateway, liveWeights } from "../gateway/endpoint.ts";
import { sampled, sharesWithin, type Shares } from "../gateway/shares.ts";

export interface VerifyOptions {
    readonly cluster: Cluster;
    /** API key of a tenant; undefined for anonymous access. */
    readonly apiKey: string | undefined;
    /** Weights that the route should have. Default: its current ones */
    readonly configured?: Weights | undefined;
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal;
    /** Requests that measure the shares. Default: 600 */
    readonly samples?: number;
}

export interface Verified {
    readonly url: string;
    readonly weights: Weights;
    readonly shares: Shares;
    readonly versions: Readonly<Record<Colour, string>>;
    readonly missMilliseconds: number;
    readonly hitMilliseconds: number;
}

/** Sample texts: the first two are paraphrases, the third has another topic. */
const LISTING = "Bright three-bedroom flat with a balcony, five minutes from the river";
const PARAPHRASE = "Sunny apartment with 3 bedrooms and a balcony, a short walk to the riverside";
const UNRELATED = "How do I reset the password of my account?";

const CONCURRENCY = 8;

/**
 * Verifies a deployed stack with client requests through its Gateway: a new text is a miss, then a hit; each colour
 * responds when it is requested by header, and both return the same vector, since they share the cache and the model; a
 * paraphrase is more similar than another topic; and over `samples` requests each colour gets the share of its weight.
 *
 * @throws VerifyError with the first failed check
 */
export async function verify(options: VerifyOptions): Promise<Verified> {
    const { cluster, report, samples = 600, signal } = options;
    const endpoint = await findGateway(cluster);
    const { url } = endpoint;
    const weights = await liveWeights(cluster);
    const wanted = options.configured ?? weights;
    expect(
        wanted.blue === weights.blue,
        `the route has ${weightsText(weights)} (blue/green), and traffic.weights is ${weightsText(wanted)}: ` +
            "make deploy restores the config's weights, make switch shifts traffic",
    );
    const at: Entrance = { url, send: senderTo(endpoint), apiKey: options.apiKey };

    const fresh = `${LISTING}, reference ${randomUUID()}`;
    const miss = await embed(at, [fresh]);
    expect(miss.cache.join() === "MISS", `a new text was ${miss.cache.join()}, not a MISS`);
    const hit = await embed(at, [fresh], miss.servedBy);
    expect(hit.cache.every(isHit), `the same text again was ${hit.cache.join()}, not a hit`);
    report(`miss in ${milliseconds(miss)}, hit in ${milliseconds(hit)} (${hit.cache.join()})`);

    const versions = await previews(at, fresh, miss.vectors[0] ?? [], report);
    await meaning(at, report);

    signal?.throwIfAborted();
    const shares = await measureShares(at, samples, signal);
    const check = sharesWithin(shares, weights);
    report(`shares ${check.text}`);
    expect(check.holds, `measured shares differ from the weights: ${check.text}`);
    return {
        url,
        weights,
        shares,
        versions,
        missMilliseconds: miss.milliseconds,
        hitMilliseconds: hit.milliseconds,
    };
}

async function previews(
    at: Entrance,
    text: string,
    vector: readonly number[],
    report: (line: string) => void,
): Promise<Record<Colour, string>> {
    const versions: Record<Colour, string> = { blue: "", green: "" };
    for (const colour of COLOURS) {
        const answer = await embed(at, [text], colour);
        expect(answer.servedBy === colour, `requested ${colour}, ${answer.servedBy} answered`);
        const same = answer.vectors[0]?.every((value, index) => value === vector[index]);
        expect(same === true, `${colour} returned another vector for the same text`);
        versions[colour] = answer.version;
        report(`${colour} (${answer.version}) by header: ${answer.cache.join()}, same vector`);
    }
    return versions;
}

async function meaning(at: Entrance, report: (line: string) => void): Promise<void> {
    const { vectors } = await embed(at, [LISTING, PARAPHRASE, UNRELATED]);
    const [listing = [], paraphrase = [], unrelated = []] = vectors;
    const near = dot(listing, paraphrase);
    const far = dot(listing, unrelated);
    expect(near > far + 0.3, `a paraphrase has cosine ${near}, another topic ${far}`);
    report(`cosine of a paraphrase ${near.toFixed(2)}, of another topic ${far.toFixed(2)}`);
}

async function measureShares(at: Entrance, samples: number, signal?: AbortSignal): Promise<Shares> {
    const shares = { blue: 0, green: 0 };
    await sampled({ samples, atOnce: CONCURRENCY, signal }, async () => {
        shares[(await embed(at, [LISTING])).servedBy] += 1;
    });
    return shares;
}

function isHit(status: string): boolean {
    return status.startsWith("HIT");
}

function milliseconds(answer: { milliseconds: number }): string {
    return `${answer.milliseconds.toFixed(1)} ms`;
}

function expect(holds: boolean, message: string): asserts holds {
    if (!holds) throw new VerifyError(message);
}
