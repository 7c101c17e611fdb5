import { HEADERS, isColour, PATHS, type Colour, type Weights } from "@property-search/contract";
import { dot, embed, type GatewayClient } from "../../gateway/client.ts";
import { runSamples, checkShares } from "../../gateway/shares.ts";
import { randomUUID } from "node:crypto";
import type { DataPlane, ShareMeasurement } from "./dataPlane.ts";

const CONCURRENCY = 32;
const TIMEOUT_MILLISECONDS = 10_000;
/**
 * Minimum cosine of two vectors of one text by one model: 1 for the same weights, slightly less for an API with varying
 * results, and below 0.9 for a different or broken model.
 */
const MIN_COSINE = 0.995;

/** Texts of different lengths, since a candidate may fail on long ones only. */
const SUBJECTS = [
    "flat with a balcony",
    "Two-bedroom terrace close to the station, with a small garden and a shed for bicycles",
    "How long does the sale of a house take, and what do I need to bring to the notary?",
    "Loft in a former mill: " + "high ceilings, brick walls and large windows; ".repeat(12),
];

export function gatewayDataPlane(client: GatewayClient): DataPlane {
    return {
        shares: (weights, samples, signal) => measure(client, weights, samples, signal),
        smoke: (colour, version) => smoke(client, colour, version),
        compare: (candidate, active) => compare(client, candidate, active),
    };
}

/** Measures shares with a cheap path of the same route rule. */
async function measure(
    client: GatewayClient,
    weights: Weights,
    samples: number,
    signal?: AbortSignal,
): Promise<ShareMeasurement> {
    const shares = { blue: 0, green: 0 };
    const failures: string[] = [];
    await runSamples({ samples, concurrency: CONCURRENCY, signal }, async () => {
        const by = await readServedBy(client);
        if (isColour(by)) shares[by] += 1;
        else failures.push(by);
    });
    const { matches, text } = checkShares(shares, weights);
    const [failure] = failures;
    if (failure === undefined) return { matches, text };
    return { matches: false, text: `${text}; ${failures.length} failed, such as ${failure}` };
}

/** @returns the colour, or a description of the failure */
async function readServedBy({ url, send = fetch }: GatewayClient): Promise<string> {
    try {
        const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
        const response = await send(`${url}${PATHS.health}`, { signal });
        await response.arrayBuffer();
        return response.headers.get(HEADERS.servedBy) ?? `status ${response.status}`;
    } catch (error) {
        const cause = error instanceof Error ? (error.cause ?? error) : error;
        return String(cause);
    }
}

async function smoke(
    client: GatewayClient,
    colour: Colour,
    version: string,
): Promise<readonly string[]> {
    const problems: string[] = [];
    const texts = freshTexts();
    // Each text alone and all as a batch, since a batch takes another path through the service.
    for (const inputs of [...texts.map((text) => [text]), texts]) {
        const answer = await embed(client, inputs, colour).catch((error: unknown) => String(error));
        if (typeof answer === "string") problems.push(answer);
        else if (answer.servedBy !== colour) {
            problems.push(`requested ${colour} by header, ${answer.servedBy} answered`);
        } else if (answer.version !== version) {
            problems.push(
                `${colour} responds with version ${answer.version}, its Deployment has ${version}`,
            );
        }
    }
    return problems;
}

/**
 * The candidate embeds first: while its cache entries are quarantined, the active colour does not use them and computes
 * its own.
 */
async function compare(
    at: GatewayClient,
    candidate: Colour,
    active: Colour,
): Promise<readonly string[]> {
    const [one, other] = [await readModel(at, candidate), await readModel(at, active)];
    if (one !== other) return [];
    const texts = freshTexts();
    const theirs = await embed(at, texts, candidate);
    const ours = await embed(at, texts, active);
    return texts.flatMap((text, index) => {
        const cosine = dot(theirs.vectors[index] ?? [], ours.vectors[index] ?? []);
        if (cosine >= MIN_COSINE) return [];
        const words = text.length > 40 ? `${text.slice(0, 40)}…` : text;
        return [
            `vectors of ${candidate} and ${active} have cosine ${cosine.toFixed(4)} for one text ` +
                `("${words}"); expected for one model: ${MIN_COSINE} or more`,
        ];
    });
}

/** Reads the model and revision of a colour; vectors of different models are not compared. */
async function readModel({ url, send = fetch }: GatewayClient, colour: Colour): Promise<string> {
    const response = await send(`${url}${PATHS.health}`, {
        headers: { [HEADERS.previewColour]: colour },
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    const { model } = (await response.json()) as { model?: { name?: string; revision?: string } };
    return JSON.stringify([model?.name, model?.revision]);
}

function freshTexts(): string[] {
    return SUBJECTS.map((subject) => `${subject}, reference ${randomUUID()}`);
}
