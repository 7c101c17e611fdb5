import { HEADERS, isColour, PATHS, type Colour, type Weights } from "@property-search/contract";
import { dot, embed, type Entrance } from "../../gateway/client.ts";
import { sampled, sharesWithin } from "../../gateway/shares.ts";
import { randomUUID } from "node:crypto";
import type { DataPlane, Measured } from "./dataPlane.ts";

const CONCURRENCY = 32;
const TIMEOUT_MILLISECONDS = 10_000;
/**
 * Cosine of two vectors of one text by one model: 1 from the same weights, a little less from an API that
 * answers not quite the same each time, and below 0.9 from a model that was exchanged or is broken.
 */
const AGREEMENT = 0.995;

/** Of different lengths, since a candidate may fail at the long ones only. */
const SUBJECTS = [
    "flat with a balcony",
    "Two-bedroom terrace close to the station, with a small garden and a shed for bicycles",
    "How long does the sale of a house take, and what do I need to bring to the notary?",
    "Loft in a former mill: " + "high ceilings, brick walls and large windows; ".repeat(12),
];

export function gatewayDataPlane(entrance: Entrance): DataPlane {
    return {
        shares: (weights, samples, signal) => measure(entrance, weights, samples, signal),
        smoke: (colour, version) => smoke(entrance, colour, version),
        compare: (candidate, active) => compare(entrance, candidate, active),
    };
}

/** By a path of the same route rule that costs the service next to nothing. */
async function measure(
    at: Entrance,
    weights: Weights,
    samples: number,
    signal?: AbortSignal,
): Promise<Measured> {
    const shares = { blue: 0, green: 0 };
    const failures: string[] = [];
    await sampled({ samples, atOnce: CONCURRENCY, signal }, async () => {
        const by = await servedBy(at);
        if (isColour(by)) shares[by] += 1;
        else failures.push(by);
    });
    const { holds, text } = sharesWithin(shares, weights);
    const [failure] = failures;
    if (failure === undefined) return { holds, text };
    return { holds: false, text: `${text}; ${failures.length} unanswered, such as ${failure}` };
}

/** @returns the colour, or what was there instead of an answer by one */
async function servedBy({ url, send = fetch }: Entrance): Promise<string> {
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

async function smoke(at: Entrance, colour: Colour, version: string): Promise<readonly string[]> {
    const findings: string[] = [];
    const texts = freshTexts();
    // Each alone, and all as a batch: another way through the service.
    for (const asked of [...texts.map((text) => [text]), texts]) {
        const answer = await embed(at, asked, colour).catch((error: unknown) => String(error));
        if (typeof answer === "string") findings.push(answer);
        else if (answer.servedBy !== colour) {
            findings.push(`asked for ${colour} by header, ${answer.servedBy} answered`);
        } else if (answer.version !== version) {
            findings.push(
                `${colour} answers as version ${answer.version}, its Deployment says ${version}`,
            );
        }
    }
    return findings;
}

/**
 * The candidate goes first: what it writes, the active colour does not take while there is a trial, and so
 * makes its own.
 */
async function compare(
    at: Entrance,
    candidate: Colour,
    active: Colour,
): Promise<readonly string[]> {
    const [one, other] = [await modelOf(at, candidate), await modelOf(at, active)];
    if (one !== other) return [];
    const texts = freshTexts();
    const theirs = await embed(at, texts, candidate);
    const ours = await embed(at, texts, active);
    return texts.flatMap((text, index) => {
        const cosine = dot(theirs.vectors[index] ?? [], ours.vectors[index] ?? []);
        if (cosine >= AGREEMENT) return [];
        const words = text.length > 40 ? `${text.slice(0, 40)}…` : text;
        return [
            `${candidate} and ${active} answer vectors at cosine ${cosine.toFixed(4)} for one text ` +
                `("${words}"); of one model they are at ${AGREEMENT} or more`,
        ];
    });
}

/** Model and revision that a colour says it has: vectors of two are not to be compared. */
async function modelOf({ url, send = fetch }: Entrance, colour: Colour): Promise<string> {
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
